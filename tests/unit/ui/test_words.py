"""Text from a file, a name or a card reaches a page through `say` alone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WORDS = {
    "badge", "caption", "error", "expander", "header", "html", "info", "markdown", "metric",
    "popover", "subheader", "success", "title", "toast", "warning", "write",
}  # fmt: skip
LABELS = {
    "button", "checkbox", "download_button", "file_uploader", "multiselect", "number_input",
    "pills", "radio", "segmented_control", "selectbox", "slider", "text_area", "text_input",
    "toggle",
}  # fmt: skip
ROOMS = {
    "say",
    "show",
    "cache",
    "tables",
    "figures",
    "region",
    "samples",
    "setting",
    "self",
    "target",
}
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


def modules() -> list[Path]:
    every = [*ROOT.glob("core/ui/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "Home.py"]
    return sorted(path for path in every if path.name != "say.py")


def drawing_calls(path: Path, names: set[str]) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    """Yield each call that draws words, with what Streamlit would read as Markdown."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        root = node.func.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if node.func.attr in names and not (isinstance(root, ast.Name) and root.id in ROOMS):
            read = node.args[: 2 if node.func.attr == "metric" else 1]
            yield node, [*read, *(k.value for k in node.keywords if k.arg in ("help", "label"))]


def is_literal(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return bool(CONSTANT.fullmatch(name))
        case ast.IfExp(body=body, orelse=other):
            return is_literal(body) and is_literal(other)
        case ast.BinOp(left=left, right=right):
            return is_literal(left) and is_literal(right)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="say"), attr="line")):
            return is_literal(node.args[0])
    return False


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_words_are_literals_or_disarmed(path: Path) -> None:
    bare = [
        f"{path.name}:{call.lineno}: {ast.unparse(call)[:90]}"
        for call, read in drawing_calls(path, WORDS)
        if not all(map(is_literal, read))
    ]
    assert not bare


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_labels_are_not_glued_together(path: Path) -> None:
    glued = [
        f"{path.name}:{call.lineno}: {ast.unparse(call)[:90]}"
        for call, read in drawing_calls(path, LABELS)
        if any(
            isinstance(part, ast.JoinedStr | ast.BinOp) and not is_literal(part) for part in read
        )
    ]
    assert not glued


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_what_say_is_given_is_a_sentence_of_our_own(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="say"), attr=name)):
                if name not in ("metric", "plain", "joined", "Line"):
                    assert is_literal(node.args[0]), f"{path.name}:{node.lineno}"
