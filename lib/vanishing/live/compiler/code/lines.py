"""Lines of JavaScript, and the names in them."""

from __future__ import annotations

import contextlib
import re
from collections import Counter

from vanishing.live.compiler.code.names import fresh, taken
from vanishing.live.compiler.runtime.node import runtime_names

#: Lines of a branch that becomes a function of its own. V8's optimising compiler leaves functions
#: of more than 60 KB of bytecode alone, a few thousand lines.
LONG = 200


class Lines:
    """Writes lines and blocks; a name that it gives is never given twice.

    Attributes:
        lines: the text so far.
        indent: how deep the next line stands, in steps of two spaces.
        declarations: what stands before the program proper, and lives on between calls.
        names: how often each name was given.
        runtime: the functions of the runtime that the text calls.
        buffers: the element type and size of each buffer, by name.
        kept: names that no branch may give again.
    """

    def __init__(self):
        self.lines: list[str] = []
        self.indent = 2
        self.declarations: list[str] = []
        self.names: Counter[str] = taken(runtime_names())
        self.runtime: set[str] = set()
        self.buffers: dict[str, tuple[str, int]] = {}
        self.kept: Counter[str] = Counter()

    def line(self, text: str) -> None:
        """Write one line; `@name` stands for a function of the runtime."""
        self.runtime.update(re.findall(r"@(\w+)", text))
        self.lines.append("  " * self.indent + text.replace("@", ""))

    @contextlib.contextmanager
    def block(self, header: str):
        """Write a block in braces."""
        self.line(f"{header} {{".strip())
        self.indent += 1
        yield
        self.indent -= 1
        self.line("}")

    @contextlib.contextmanager
    def apart(self):
        """Write a function of its own, called where it stands, if what is written is long."""
        begin = len(self.lines)
        yield
        if len(self.lines) - begin > LONG:
            self.lines.insert(begin, "  " * self.indent + "(() => {")
            self.line("})();")

    def fresh(self, hint: str) -> str:
        """A name that was not given yet."""
        return fresh(hint, self.names)

    def lasting(self, hint: str) -> str:
        """A name that is not taken again, in no branch."""
        name = self.fresh(hint)
        # Branches give names a second time, but a buffer outlives its branch.
        while name in self.buffers:
            name = self.fresh(hint)
        self.kept[name] += 1
        return name

    @contextlib.contextmanager
    def branches(self):
        """Write branches of which one runs: they share the names of numbers and of buffers.

        Sharing keeps the memory of a program that of its largest branch. Yields a function to
        call before each branch.
        """
        before, taken = self.names, Counter()

        def begin() -> None:
            nonlocal taken
            taken |= self.names
            self.names = before | self.kept

        yield begin
        self.names = taken | self.names
