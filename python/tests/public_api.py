"""Lists the API of the package from its sources: every public name with its signature or annotation, one a line.

It reads the sources and the stub; nothing is imported, so that the list is the same whatever is installed.
"""

import sys
from pathlib import Path

import griffe

MODULES = ["", ".errors", ".httpx", ".httpx2", ".opentelemetry", ".sinks", ".types"]


def lines(path: str, item: griffe.Object | griffe.Alias) -> list[str]:
    if isinstance(item, griffe.Alias):
        item = item.final_target
    if isinstance(item, griffe.Class):
        bases = ", ".join(str(base) for base in item.bases)
        out = [f"class {path}({bases})"]
        for name, member in sorted(item.all_members.items()):
            if is_offered(name, member):
                out += lines(f"{path}.{name}", member)
        return out
    if isinstance(item, griffe.Function):
        kinds = "".join(f"{label} " for label in sorted(item.labels & {"async", "classmethod", "staticmethod"}))
        forms = item.overloads or [item]
        return [f"{kinds}def {form.signature(name=path)}" for form in forms]
    if isinstance(item, griffe.Attribute):
        kind = "property " if "property" in item.labels else ""
        # What a type is an alias of is its value.
        value = f" = {item.value}" if item.module.path == "llmspan.types" and item.value is not None else ""
        return [f"{kind}{path}: {item.annotation}{value}"]
    raise TypeError(f"{path}: {type(item).__name__}")


def is_offered(name: str, member: griffe.Object | griffe.Alias) -> bool:
    """Whether users may rely on a member of a class; how it is made and written is its own affair."""
    if name in {"__init__", "__new__", "__enter__", "__exit__", "__aenter__", "__aexit__", "__iter__", "__next__"}:
        return True
    return not name.startswith("_") and member.is_public


def main() -> None:
    package = griffe.load("llmspan", search_paths=[str(Path(sys.argv[1]))], allow_inspection=False)
    for suffix in MODULES:
        module = package[suffix.removeprefix(".")] if suffix else package
        if not isinstance(module, griffe.Module):
            raise TypeError(f"llmspan{suffix} is no module")
        names = module.exports if module.exports is not None else [name for name in module.members if name[0] != "_"]
        for name in sorted(str(name) for name in names):
            member = module.members[name]
            path = f"llmspan{suffix}.{name}"
            if module.exports is None and member.is_alias:
                continue
            print(path if member.is_module else "\n".join(lines(path, member)))


if __name__ == "__main__":
    main()
