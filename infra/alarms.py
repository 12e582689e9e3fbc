"""An alarm for every queue, dead-letter queue and function, and the dashboard that shows them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from infra.documents import Document, of_type
from infra.functions import API, INBOUND, Function

METRICS = {
    "Rents and codes": ("RentalsOpened", "CodesSent", "SmsReceived"),
    "Webhooks": ("DeliveriesSucceeded", "DeliveriesFailed"),
    "Seconds from SMS to webhook": ("SmsToWebhookSeconds",),
    "Sweeps": ("ExpiryLagSeconds", "StuckSagas"),
}
"""What the functions measure, in the namespace of SESAME_METRICS_NAMESPACE."""

_WIDTH, _HEIGHT = 12, 6


def dead_letters_of(template: Mapping[str, Any]) -> dict[str, str]:
    """The dead-letter queue of each queue that has one, by logical id."""
    return {
        name: queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for name, queue in of_type(template, "AWS::SQS::Queue").items()
        if "RedrivePolicy" in queue["Properties"]
    }


def resources(template: Mapping[str, Any], functions: Iterable[Function]) -> Document:
    """The alarms of all queues and functions, and the dashboard."""
    functions = list(functions)
    made: Document = {"Dashboard": _dashboard(dead_letters_of(template), functions)}
    for queue, dead in dead_letters_of(template).items():
        made[f"{dead}Alarm"] = _alarm(
            f"Messages of {queue} failed again and again, and wait in its dead-letter queue.",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", _name_of(dead)),
            Statistic="Maximum",
            Threshold=0,
        )
        made[f"{queue}AgeAlarm"] = _alarm(
            f"The oldest message of {queue} is older than it should be.",
            ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", _name_of(queue)),
            Statistic="Maximum",
            Threshold={"Ref": "QueueAgeSeconds"},
        )
    for function in functions:
        made[f"{function.logical_id}ErrorsAlarm"] = _alarm(
            f"{function.name} failed more than once in five minutes.",
            ("AWS/Lambda", "Errors", "FunctionName", {"Ref": function.logical_id}),
            Statistic="Sum",
            Threshold=1,
        )
    return made


def _alarm(description: str, metric: tuple[str, str, str, Document], **said: Any) -> Document:
    namespace, name, dimension, value = metric
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Condition": "HasAlarms",
        "Properties": {
            "AlarmDescription": description,
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": dimension, "Value": value}],
            "Period": 300,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "AlarmTopic"}],
            "OKActions": [{"Ref": "AlarmTopic"}],
            **said,
        },
    }


def _name_of(queue: str) -> Document:
    return {"Fn::GetAtt": [queue, "QueueName"]}


def _dashboard(dead_letters: Mapping[str, str], functions: list[Function]) -> Document:
    own = "Sesame/${AWS::StackName}"
    api = ["AWS/ApiGateway", "Count", "ApiName", "${AWS::StackName}", "Stage", "api"]
    lambdas = [f"${{{function.logical_id}}}" for function in functions]
    http = [f"${{{each.logical_id}}}" for each in functions if each.name in (API, INBOUND)]
    graphs = {
        "Calls": _sums([api, [*api[:1], "4XXError", *api[2:]], [*api[:1], "5XXError", *api[2:]]]),
        "Latency of calls (p95)": _lines(
            [["AWS/Lambda", "Duration", "FunctionName", name] for name in http], "p95"
        ),
        "Errors": _sums([["AWS/Lambda", "Errors", "FunctionName", name] for name in lambdas]),
        "Oldest message": _lines(
            [
                ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", f"${{{queue}.QueueName}}"]
                for queue in dead_letters
            ],
            "Maximum",
        ),
        "Dead letters": _lines(
            [
                [
                    "AWS/SQS",
                    "ApproximateNumberOfMessagesVisible",
                    "QueueName",
                    f"${{{dead}.QueueName}}",
                ]
                for dead in dead_letters.values()
            ],
            "Maximum",
        ),
    }
    for title, names in METRICS.items():
        stat = "Maximum" if "Seconds" in title or title == "Sweeps" else "Sum"
        graphs[title] = _lines([[own, name] for name in names], stat)
    body = {
        "widgets": [
            {
                "type": "metric",
                "x": at % 2 * _WIDTH,
                "y": at // 2 * _HEIGHT,
                "width": _WIDTH,
                "height": _HEIGHT,
                "properties": {"title": title, "region": "${AWS::Region}", **graph},
            }
            for at, (title, graph) in enumerate(graphs.items())
        ]
    }
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Condition": "HasAlarms",
        "Properties": {
            "DashboardName": {"Ref": "AWS::StackName"},
            "DashboardBody": {"Fn::Sub": json.dumps(body, sort_keys=True)},
        },
    }


def _sums(metrics: list[list[str]]) -> Document:
    return _lines(metrics, "Sum")


def _lines(metrics: list[list[str]], stat: str) -> Document:
    return {"metrics": metrics, "stat": stat, "period": 300, "view": "timeSeries"}
