"""Which Lambda a route calls, on the REST API that Chalice makes and on the HTTP API beside it."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalice.app import Chalice

from infra.documents import Document
from infra.functions import API, INBOUND, INBOUND_PATHS, Function, function_name

_INVOKE = (
    "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/"
    "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{name}"
    "/invocations"
)


def resources(app: Chalice, functions: list[Function]) -> Document:
    """The integrations of all routes: inbound SMS on a Lambda of their own.

    They name the Lambdas instead of referring to them, so that the Lambdas may refer to the API:
    they have to know its address.
    """
    by_name = {function.name: function for function in functions}
    rest: Document = {}
    http: Document = {}
    for path, method in _routes(app):
        function = by_name[INBOUND if path.startswith(INBOUND_PATHS) else API]
        uri = {"Fn::Sub": _INVOKE.format(name=function_name(function))}
        rest.setdefault(path, {})[method] = {"x-amazon-apigateway-integration": {"uri": uri}}
        http.setdefault(path, {})[method] = _http_operation(path, uri)
    return {
        "RestAPI": {"Properties": {"DefinitionBody": {"paths": rest}}},
        "HttpApi": {"Properties": {"Body": _http_body(http)}},
    }


def _routes(app: Chalice) -> Iterator[tuple[str, str]]:
    for path, methods in app.routes.items():
        for method in methods:
            yield path, method.lower()


def _http_operation(path: str, uri: Mapping[str, Any]) -> Document:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return {
        "responses": {"default": {"description": "An answer of Sesame's."}},
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "payloadFormatVersion": "1.0",
            "timeoutInMillis": 29000,
            "uri": uri,
        },
    }


def _http_body(paths: Document) -> Document:
    return {
        "openapi": "3.0.1",
        "info": {"title": {"Ref": "AWS::StackName"}, "version": "1.0"},
        "paths": paths,
    }
