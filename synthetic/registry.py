"""The families by name, and how a generator is built from text or from JSON.

Adding a family is one file with its class, and one line in `GENERATORS`.
"""

from __future__ import annotations

import difflib
import inspect
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from fractions import Fraction
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from synthetic.generator import Generator
from synthetic.groups import FiniteGroup, group_from_dict
from theory.deferred import Registry
from theory.errors import shown
from theory.json_text import read_json

__all__ = ["GENERATORS", "READERS", "describe", "load_generator", "make_generator"]

GENERATORS = Registry[type[Generator]](
    {
        "modular-shift": ("synthetic.families.modular_shift", "ModularShift"),
        "reduced-shift": ("synthetic.families.reduced_shift", "ReducedShift"),
        "orbits": ("synthetic.families.orbits", "Orbits"),
        "linear-gaussian": ("synthetic.families.linear_gaussian", "LinearGaussian"),
        "class-circle": ("synthetic.families.class_circle", "ClassCircle"),
        "erasure": ("synthetic.families.erasure", "Erasure"),
        "watermark": ("synthetic.families.watermark", "Watermark"),
        "quotient": ("synthetic.families.quotient", "Quotient"),
        "product": ("synthetic.families.product", "Product"),
        "random-model": ("synthetic.families.random_model", "RandomModel"),
        "two-views": ("synthetic.families.two_views", "TwoViews"),
        "shared-signal": ("synthetic.families.shared_signal", "SharedSignal"),
        "task-and-nuisance": ("synthetic.families.task_and_nuisance", "TaskAndNuisance"),
        "headed-shift": ("synthetic.families.headed_shift", "HeadedShift"),
        "glyphs": ("synthetic.images.glyphs", "Glyphs"),
        "glyph-views": ("synthetic.images.glyphs", "GlyphViews"),
        "digits": ("synthetic.images.digits", "Digits"),
    }
)
"""The families by their name on the command line; each is imported when it is asked for."""

READERS = Registry[type[Generator]]({"cifar10": ("synthetic.images.cifar10", "Cifar10")})
"""Families that read a folder, which must be named: they have no defaults."""

_ARGUMENT = re.compile(r"^    (\w+): (.*)$")
"""The first line of an argument in the section `Args:` of a docstring."""


def make_generator(family: str, settings: Mapping[str, str] | None = None) -> Generator:
    """Build a generator from text, as the command line has it.

    Numbers are decimals or fractions, lists and matrices are in JSON syntax, groups by name. The
    parameters of a nested generator have its name and a dot in front: `base=modular-shift`, `base.n=4`.

    Args:
        family: A name in `GENERATORS` or `READERS`.
        settings: The text of each parameter; those that are not named keep their defaults.

    Raises:
        ValueError: If the family or a parameter is unknown (the message says which exist), a text is
            malformed, or the family refuses the values.

    Example:
        >>> make_generator("modular-shift", {"n": "6", "noise": "1/10", "prior": "[0.5, 0.5]"})
        ModularShift(n=6, classes=None, noise=0.1, shifts=None, prior=(0.5, 0.5))
    """
    return _make(family, settings or {}, prefix="")


def load_generator(content: Mapping[str, Any]) -> Generator:
    """Build a generator from JSON: `{"family": .., "parameters": {..}}`, as `dataset.json` has it.

    Args:
        content: The family's name, and its parameters by name; those that are left out have their defaults.

    Raises:
        ValueError: If the family or a parameter is unknown, or a value is not of its type.
    """
    family = _family(str(content.get("family")))
    hints = _hints(family)
    parameters = content.get("parameters", {})
    if not isinstance(parameters, Mapping):
        raise ValueError(f"the parameters of {family.family} must be an object, got {shown(parameters)}")
    _require_known(family, parameters, prefix="")
    return _build(family, {k: _from_json(k, v, hints[k]) for k, v in parameters.items()})


def describe(family: str) -> dict[str, Any]:
    """A family in plain data: summary, parameters, variables, diagram, answers and main terms.

    Raises:
        ValueError: If the family is unknown.
    """
    cls = _family(family)
    doc = inspect.cleandoc(cls.__doc__ or "")
    meanings = _arguments(doc)
    default = cls.specimen()
    settings = default.settings
    return {
        "family": cls.family,
        "summary": " ".join(doc.split("\n\n")[0].split()),
        "parameters": [
            {
                "name": f.name,
                "type": _type_text(_hints(cls)[f.name]),
                "default": None if _required(f) else settings.get(f.name),
                "required": _required(f),
                "meaning": meanings.get(f.name, ""),
            }
            for f in _fields(cls)
        ],
        "variables": [
            {"name": v.name, "kind": v.kind, "cardinality": v.cardinality, "role": v.role}
            for v in default.variables
        ],
        "diagram": str(default.diagram),
        "answers": list(cls.answers),
        "main_terms": list(cls.main_terms),
    }


def _make(family: str, settings: Mapping[str, str], *, prefix: str) -> Generator:
    cls = _family(family)
    hints = _hints(cls)
    own: dict[str, str] = {}
    nested: dict[str, dict[str, str]] = {}
    for key, text in settings.items():
        head, dot, rest = key.partition(".")
        if dot:
            nested.setdefault(head, {})[rest] = text
        else:
            own[head] = text
    _require_known(cls, [*own, *nested], prefix=prefix)
    values: dict[str, Any] = {}
    for f in _fields(cls):
        name, hint = f.name, hints[f.name]
        if _is_generator(hint) and (name in own or name in nested):
            base = own.get(name) or _default(f).family
            values[name] = _make(base, nested.get(name, {}), prefix=f"{prefix}{name}.")
        elif name in nested:
            inner = next(iter(nested[name]))
            raise ValueError(f"{cls.family} has no parameter {prefix}{name}.{inner}: {name} is no generator")
        elif name in own:
            values[name] = _from_text(prefix + name, own[name], hint)
    return _build(cls, values)


def _build(cls: type[Generator], values: Mapping[str, Any]) -> Generator:
    for f in _fields(cls):
        if _required(f) and f.name not in values:
            meaning = _arguments(inspect.cleandoc(cls.__doc__ or "")).get(f.name, "")
            raise ValueError(f"{cls.family} needs {f.name}: {meaning}")
    try:
        return cls(**values)
    except TypeError as error:
        raise ValueError(f"{cls.family}: {error}") from None


def _family(name: str) -> type[Generator]:
    known = (*GENERATORS, *READERS)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise ValueError(f"unknown generator {shown(name)}{hint}: there are {', '.join(known)}")
    return GENERATORS[name] if name in GENERATORS else READERS[name]


def _fields(cls: type[Generator]) -> list[Any]:
    return [f for f in fields(cls) if f.init]  # type: ignore[arg-type]  # families are dataclasses


def _hints(cls: type[Generator]) -> dict[str, Any]:
    return get_type_hints(cls)


def _required(f: Any) -> bool:  # noqa: ANN401  (the type of a dataclass field is not public)
    return f.default is MISSING and f.default_factory is MISSING


def _default(f: Any) -> Any:  # noqa: ANN401  (a type hint, or a value of that type)
    return f.default_factory() if f.default is MISSING else f.default


def _require_known(cls: type[Generator], names: Iterable[str], *, prefix: str) -> None:
    known = [f.name for f in _fields(cls)]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {prefix}{close[0]}?)" if close else ""
            have = ", ".join(known) or "none"
            raise ValueError(f"{cls.family} has no parameter {shown(prefix + name)}{hint}: it has {have}")


def _is_generator(hint: Any) -> bool:  # noqa: ANN401  (a type hint, or a value of that type)
    return isinstance(hint, type) and issubclass(hint, Generator)


def _options(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401  (a type hint, or a value of that type)
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _from_text(name: str, text: str, hint: Any) -> Any:  # noqa: ANN401  (a type hint, or a value of that type)
    stripped = text.strip()
    options = _options(hint)
    if stripped[:1] in ("{", "["):
        options = tuple(sorted(options, key=lambda option: option is str))
    if type(None) in options and stripped.lower() in ("none", "null", ""):
        return None
    reason = ""
    for option in options:
        if option is type(None):
            continue
        try:
            return _scalar(stripped, option)
        except ValueError as error:
            reason = reason or str(error)
    wanted = _type_text(hint)
    raise ValueError(f"{name} must be {wanted}, got {shown(text)}" + (f": {reason}" if reason else ""))


def _scalar(text: str, hint: Any) -> Any:  # noqa: ANN401  (a type hint, or a value of that type)
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("expected true or false")
        return text.lower() == "true"
    if hint is int:
        if not re.fullmatch(r"[+-]?\d+", text):
            raise ValueError("")
        return int(text)
    if hint is float:
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?\d+/0*[1-9]\d*", text):
            raise ValueError("")
        return float(Fraction(text)) if "/" in text else float(text)
    if hint is str:
        return text
    if hint is FiniteGroup:
        return group_from_dict(read_json(text, "a table") if text.startswith("{") else text)
    if get_origin(hint) is Literal:
        if text not in get_args(hint):
            raise ValueError("")
        return text
    return _from_json("it", read_json(text, "it"), hint)


def _from_json(name: str, value: Any, hint: Any) -> Any:  # noqa: ANN401  (a type hint, or a value of that type)
    options = _options(hint)
    reason = ""
    for option in options:
        try:
            return _one_from_json(name, value, option)
        except ValueError as error:
            reason = str(error)
    if len(options) == 1 and reason:
        raise ValueError(reason)
    raise ValueError(f"{name} must be {_type_text(hint)}, got {shown(value)}")


def _one_from_json(name: str, value: Any, hint: Any) -> Any:  # noqa: ANN401  (a type hint, or a value of that type)
    origin, inner = get_origin(hint) or hint, get_args(hint)
    if hint is FiniteGroup:
        return group_from_dict(value)
    if _is_generator(hint) and isinstance(value, Mapping):
        return load_generator(value)
    if origin in (tuple, list, Sequence) and isinstance(value, list | tuple):
        hints = [inner[0]] * len(value) if origin is not tuple or Ellipsis in inner else list(inner)
        if len(hints) == len(value):
            entry = f"an entry of {name}"
            return tuple(_from_json(entry, v, h) for v, h in zip(value, hints, strict=True))
    elif origin in (dict, Mapping) and isinstance(value, Mapping):
        return {str(k): _from_json(f"an entry of {name}", v, inner[1]) for k, v in value.items()}
    elif origin is Literal and value in inner:
        return value
    elif isinstance(value, bool) and hint is not bool:
        pass
    elif hint is float and isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{name} must be within the range of floats, got {shown(value)}") from None
    elif isinstance(hint, type) and isinstance(value, hint):
        return value
    raise ValueError(f"{name} must be {_type_text(hint)}, got {shown(value)}")


def _type_text(hint: Any) -> str:  # noqa: ANN401  (a type hint, or a value of that type)
    names = {int: "an integer", float: "a number", bool: "true or false", str: "a text"}
    options = []
    for option in _options(hint):
        origin = get_origin(option)
        if option is type(None):
            options.append("none")
        elif option in names:
            options.append(names[option])
        elif option is FiniteGroup:
            options.append("a group such as cyclic(4)")
        elif _is_generator(option):
            options.append("a generator")
        elif origin is Literal:
            options.append("one of " + ", ".join(map(str, get_args(option))))
        elif origin in (tuple, list, Sequence):
            options.append("a list of " + _plural(get_args(option)))
        else:
            options.append("an object")
    return " or ".join(dict.fromkeys(options))


def _plural(inner: tuple[Any, ...]) -> str:
    if len(set(inner) - {Ellipsis}) != 1:
        return "entries"
    text = {int: "integers", float: "numbers", bool: "booleans", str: "texts"}.get(inner[0])
    return text or ("lists of " + _plural(get_args(inner[0])) if get_origin(inner[0]) is tuple else "objects")


def _arguments(doc: str) -> dict[str, str]:
    """The meaning of each argument, from the section `Args:` of a docstring."""
    _, _, section = doc.partition("Args:\n")
    result: dict[str, str] = {}
    current = ""
    for line in section.split("\n"):
        match = _ARGUMENT.match(line)
        if match:
            current = match[1]
            result[current] = match[2].strip()
        elif line.startswith("        ") and current:
            result[current] += " " + line.strip()
        elif line.strip():
            break
    return result
