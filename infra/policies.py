"""What each Lambda may do, as IAM policies: permissions.yaml, and what all need to run at all.

No action and no resource is a wildcard: tables, indexes, queues and logs are those of the stack.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.documents import BuildError, Document, read
from infra.functions import Function

PERMISSIONS = Path(__file__).with_name("permissions.yaml")
READ_QUEUE = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
"""What AWS asks of the role of a function that reads a queue."""

_NOTHING = {"Ref": "AWS::NoValue"}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ],
}


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One action on one table (`users`), index (`users/by_manager`) or queue (`webhooks`)."""

    service: str
    action: str
    target: str


def permissions(path: Path = PERMISSIONS) -> dict[str, set[Permission]]:
    """What permissions.yaml says, by function."""
    return {
        function: {
            Permission(service, action, target)
            for service in ("dynamodb", "sqs")
            for target, actions in ((said or {}).get(service, {})).items()
            for action in actions
        }
        for function, said in read(path).items()
    }


def resources(functions: Iterable[Function], names: Mapping[str, Any]) -> Document:
    """A role for each function; `names` are the variables that name tables and queues."""
    granted = permissions()
    functions = list(functions)
    known = {function.name for function in functions}
    if granted.keys() != known:
        raise BuildError(f"permissions.yaml: {sorted(granted.keys() ^ known)}: in one place only")
    return {
        function.role_id: {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": _TRUST,
                "ManagedPolicyArns": {"Fn::If": ["IsTraced", [_TRACING], _NOTHING]},
                "Policies": [
                    {
                        "PolicyName": f"{function.role_id}Policy",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": _statements(function, granted[function.name], names),
                        },
                    }
                ],
            },
        }
        for function in functions
    }


# X-Ray's actions know no resources, so this policy has to say "*"; it is there only if asked for.
_TRACING = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"}


def _statements(
    function: Function, granted: set[Permission], names: Mapping[str, Any]
) -> list[Document]:
    said = [
        _allow(
            [f"{service}:{p.action}" for p in sorted(granted) if _of(p, service, target)],
            _arn(service, target, names),
        )
        for service, target in sorted({(p.service, p.target) for p in granted})
    ]
    if function.queue is not None:
        reading = [f"sqs:{action}" for action in READ_QUEUE]
        said.append(_allow(reading, {"Fn::GetAtt": [function.queue, "Arn"]}))
    if function.name == "send_otp":
        sending = ["sms-voice:SendTextMessage", "sms-voice:SendVoiceMessage"]
        said.append(_only_if("HasAwsSms", _allow(sending, {"Ref": "AwsSmsOrigins"})))
    return [
        *said,
        # One of the two: the ARN is a secret's or a parameter's.
        _allow(["secretsmanager:GetSecretValue", "ssm:GetParameter"], {"Ref": "SecretsArn"}),
        _allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            {"Fn::GetAtt": [function.log_id, "Arn"]},
        ),
        _only_if("HasKmsKey", _allow(["kms:Decrypt"], {"Ref": "KmsKeyArn"})),
    ]


def _of(permission: Permission, service: str, target: str) -> bool:
    return (permission.service, permission.target) == (service, target)


def _arn(service: str, target: str, names: Mapping[str, Any]) -> Document:
    name, _, index = target.partition("/")
    kind = "TABLE" if service == "dynamodb" else "QUEUE"
    variable = f"SESAME_{kind}_{name.upper()}"
    if variable not in names:
        raise BuildError(f"permissions.yaml: {target}: there is no {variable}")
    logical_id = names[variable]["Ref"]
    if index:
        return {"Fn::Sub": f"${{{logical_id}.Arn}}/index/{index}"}
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def _allow(actions: list[str], resource: Document) -> Document:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _only_if(condition: str, statement: Document) -> Document:
    return {"Fn::If": [condition, statement, _NOTHING]}
