"""Refuses import circles in a Python package, lazy imports inside functions included.

Run: python3 .ci/python_circles.py sim-adapters/python/firstsolo_sim. Needs nothing but Python.
"""

import ast
import pathlib
import sys


def module_name(path, root):
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path, name, modules):
    """The package's own modules that this one imports; `from . import x` counts as `x` where that is a module."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            inside = [f"{base}.{alias.name}" for alias in node.names]
            wanted = [word if word in modules else base for word in inside]
        else:
            continue
        yield from (word for word in wanted if word in modules and word != name)


def circle(graph):
    """The first circle found, as a list of modules that begins and ends alike; empty if there is none."""
    done = set()

    def walk(name, path):
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph[name]):
            found = walk(other, [*path, name])
            if found:
                return found
        done.add(name)
        return []

    for name in sorted(graph):
        found = walk(name, [])
        if found:
            return found
    return []


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    paths = {module_name(path, root): path for path in sorted(root.rglob("*.py"))}
    graph = {name: set(imports_of(path, name, paths)) for name, path in paths.items()}
    found = circle(graph)
    if found:
        sys.exit("import circle: " + " -> ".join(found))
    print(f"{len(graph)} Python modules, no import circle")


if __name__ == "__main__":
    main()
