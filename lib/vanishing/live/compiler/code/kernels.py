"""Loop nests as functions of their own, in JavaScript and, where they fit, in WebAssembly.

A function is written once for all nests that differ in nothing but names. It is short, so that the
browser's compiler is done with it after a few rounds, whatever becomes of the program around it.
"""

from __future__ import annotations

import re
import textwrap

from vanishing.live.compiler.code.assembly import Module
from vanishing.live.compiler.code.expressions import Unfit
from vanishing.live.compiler.code.lines import Lines
from vanishing.live.compiler.code.names import RESERVED
from vanishing.live.compiler.code.nests import Nest
from vanishing.live.compiler.code.vectors import Vectors
from vanishing.live.compiler.runtime.node import runtime_names

SHORTEST = 256  # rounds; of fewer a call is not worth its while
NAME = re.compile(r"(?<![\w.$])[^\W\d]\w*")
DECLARED = re.compile(r"(?:const|let|,) ([^\W\d]\w*) = ")
ASSIGNED = re.compile(r"(?<![\w.$])([^\W\d]\w*) = ")


class Kernels(Lines):
    """Puts loop nests aside.

    Attributes:
        kernels: the functions written so far, by their text and the types in it.
        module: those of them that are in WebAssembly.
    """

    def __init__(self):
        super().__init__()
        self.kernels: dict[tuple, str] = {}
        self.module = Module()

    def put_aside(self, begin: int, nest: Nest) -> None:
        """Call a function in place of the lines from `begin` on, which a nest has written."""
        if nest.rounds < SHORTEST:
            return
        text = textwrap.dedent("\n".join(self.lines[begin:]))
        known = {*RESERVED, *runtime_names()}
        own = set(DECLARED.findall(text))
        free = [n for n in dict.fromkeys(NAME.findall(text)) if n not in own and n not in known]
        assigned = set(ASSIGNED.findall(text)) - own
        if len(assigned) > 1:  # it sets more than it can return
            return
        del self.lines[begin:]
        name = self._kernel(text, nest, free, own, assigned)
        call = f"{name}({', '.join(free)});"
        self.line(f"{assigned.pop()} = {call}" if assigned else call)

    def _kernel(self, text: str, nest: Nest, free: list[str], own: set[str], assigned) -> str:
        """The name of the function."""
        plain = {name: f"p{k}" for k, name in enumerate(free)}
        inner = dict.fromkeys(n for n in NAME.findall(text) if n in own)
        plain |= {name: f"t{k}" for k, name in enumerate(inner)}
        body = NAME.sub(lambda m: plain.get(m[0], m[0]), text)
        parameters = ", ".join(plain[name] for name in free)
        body += "".join(f"\nreturn {plain[name]};" for name in assigned)
        types = [nest.dtypes.get(name) for name in free]
        key = f"({parameters}) => {{\n{textwrap.indent(body, '    ')}\n  }}"
        if (key, *types) not in self.kernels:
            name = self.kernels[(key, *types)] = f"loop_{len(self.kernels)}"
            fast = self._vectors(name, nest, free)
            self.declarations.append(f"const {name} = {fast}{key};")
        return self.kernels[(key, *types)]

    def _vectors(self, name: str, nest: Nest, free: list[str]) -> str:
        """The same in WebAssembly, as what stands before the function in JavaScript."""
        buffers = {n for n in free if re.search(rf"(?<![\w.$]){n}\[", nest.text)}
        try:
            self.module.exported[name] = Vectors(self.module, nest, free).function()
        except Unfit:
            return ""
        names = [f"p{k}" for k in range(len(free))]
        given = [f"{p}.byteOffset" if n in buffers else p for p, n in zip(names, free, strict=True)]
        return f"simd.{name} ? ({', '.join(names)}) => simd.{name}({', '.join(given)}) : "

    def vectors(self) -> str | None:
        """The functions in WebAssembly as text, if there are any."""
        if not self.module.exported:
            return None
        return self.module.bytes().hex()
