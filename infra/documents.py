"""CloudFormation's documents: read with the short tags in their long form, joined, written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]
ROOT = Path(__file__).resolve().parent.parent


class BuildError(Exception):
    """What is to be deployed can't be built; says why."""


class _Loader(yaml.SafeLoader):
    """YAML in which `!Sub x` is `{"Fn::Sub": x}`."""


class _Dumper(yaml.SafeDumper):
    """YAML without anchors, which CloudFormation does not read."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write each value out."""
        return True


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Document:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise BuildError(f"!{suffix} takes a text or a list (line {node.start_mark.line + 1})")
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def read(path: Path) -> Document:
    """The document in a file. Raises BuildError."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # nosec B506 (a SafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise BuildError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise BuildError(f"{path}: expected keys and values")
    return found


def written(document: Mapping[str, Any]) -> str:
    """The document as YAML: the same text for the same content."""
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=True, width=100)


def joined(*documents: Mapping[str, Any]) -> Document:
    """One document that says what all say. Raises BuildError if two say different things."""
    result: Document = {}
    for document in documents:
        _join(result, document, "")
    return result


def _join(into: Document, more: Mapping[str, Any], where: str) -> None:
    for key, value in more.items():
        path = f"{where}.{key}" if where else key
        if isinstance(value, Mapping):
            _join_mapping(into, key, value, path)
        elif key in into and into[key] != value:
            raise BuildError(f"{path} is said twice, and differently")
        else:
            into[key] = value


def _join_mapping(into: Document, key: str, value: Mapping[str, Any], path: str) -> None:
    present = into.get(key)
    if present and (
        not isinstance(present, dict) or _intrinsic_of(present) != _intrinsic_of(value)
    ):
        raise BuildError(f"{path} is said twice, and differently")
    _join(into.setdefault(key, {}), value, path)


def _intrinsic_of(value: Mapping[str, Any]) -> str:
    """The function that a value calls, if it calls one."""
    name = str(next(iter(value), ""))
    return name if len(value) == 1 and (name == "Ref" or name.startswith("Fn::")) else ""


def each(found: Mapping[str, Any], keep: Callable[[Any], bool]) -> Document:
    """Those values that `keep` says yes to, by key."""
    return {key: value for key, value in found.items() if keep(value)}


def of_type(document: Mapping[str, Any], kind: str) -> Document:
    """The resources of one type, by logical id."""
    return each(document["Resources"], lambda resource: resource.get("Type") == kind)
