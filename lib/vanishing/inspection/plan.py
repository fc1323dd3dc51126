"""From a traced loss to a plan of measurement: what to tap, and the steps of the backward pass.

A level's equations are grouped into *blocks*, each pulled back by one `jax.vjp`. A block ends
wherever a cotangent has to be met: at a tap, before a contraction, and at a value that is read
both inside and outside, so that a branch and the skip around it keep scales of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from vanishing.inspection import elementwise, jaxprs, taps
from vanishing.inspection.jaxprs import Equation, Graph, Value
from vanishing.inspection.levels import CONSTANT, Level, Origin, build
from vanishing.inspection.taps import Tap


@dataclass(eq=False)
class Block:
    """Equations that are pulled back together.

    Attributes:
        equations: in order.
        inputs: what they read from outside.
        wanted: those inputs that a cotangent is wanted of.
        outputs: what is read outside.
    """

    equations: list[Equation]
    inputs: list[Value]
    wanted: list[Value]
    outputs: list[Value]

    @property
    def heavy(self) -> bool:
        """Whether there is a contraction in it."""
        return any(equation.op in jaxprs.CONTRACTIONS for equation in self.equations)


@dataclass(eq=False)
class Steps:
    """One level, ready to be walked.

    Attributes:
        level: the level.
        blocks: in an order in which they can be computed.
        taps: what to measure, by the value.
        within: the steps of the nested levels, by the equation that holds them.
    """

    level: Level
    blocks: list[Block]
    taps: dict[Value, Tap]
    within: dict[Equation, list["Steps"]] = field(default_factory=dict)


@dataclass(eq=False)
class Plan:
    """All that is known before anything is computed.

    Attributes:
        steps: of the loss.
        taps: everything that is measured, in the order of the forward pass.
        unused: parameters, by number, that the loss does not depend on.
    """

    steps: Steps
    taps: list[Tap]
    unused: frozenset[int]

    @property
    def level(self) -> Level:
        """The loss as a graph."""
        return self.steps.level


def plan(closed, sizes: Sequence[int], batch: int, *, fine: bool = False) -> Plan:
    """The plan for a traced loss.

    Args:
        closed: the jaxpr of loss(*parameters, *data), flat.
        sizes: number of entries of each parameter.
        batch: number of data arrays after the parameters; where there are none, the arrays that
            the loss closes over are the data.
        fine: one equation a block, to look for the one that made a NaN.
    """
    parameters = [Origin(leaves=frozenset({leaf})) for leaf in range(len(sizes))]
    data = Origin(data=True, reduced=False)
    level = build(jaxprs.graph(closed), [*parameters, *[data] * batch], CONSTANT if batch else data)
    found = _tap(level, sizes)
    (output,) = level.graph.outputs
    unused = frozenset(range(len(sizes))) - level.origin(output).leaves
    whole = _steps(level, found, fine)
    return Plan(whole, taps.numbered(in_order(whole)), unused)


def _tap(level: Level, sizes: Sequence[int]) -> dict[Level, list[Tap]]:
    """The taps of every level."""
    found = {inner: list(taps.layers(inner, sizes)) for inner in level.walk()}
    holds = {inner: any(found[below] for below in inner.walk()) for inner in found}
    reaching = _reaching(level, found, holds, frozenset())
    feeds = _feeds(level, found, {})
    for inner in found:
        shared = elementwise.activations(inner, feeds[inner], reaching[inner])
        found[inner] += list(shared)
        units = _units(inner, found[inner])
        for tap in found[inner]:
            if tap.kind == "activation":
                tap.units = units.get(tap.source) or (len(tap.value.shape) - 1,)
    return found


def _reaching(level: Level, found, holds, outputs: frozenset[Value]) -> dict[Level, set[Value]]:
    """By level, the values that a layer computed later depends on.

    Args:
        level: where to begin.
        found: the layers of each level.
        holds: whether there is a layer in a level or below it.
        outputs: those of the level's outputs that a layer outside depends on.
    """
    reached = set(outputs)
    weights = {tap.equation for tap in found[level]}
    result = {}
    for equation in reversed(level.graph.equations):
        children = level.children.get(equation, ())
        ahead = [value in reached for value in equation.outputs]
        for child in children:
            if equation.loop:  # what is carried comes back to the body's layers
                carried = equation.loop.carried
                ahead = [
                    above or (place < carried and holds[child]) for place, above in enumerate(ahead)
                ]
            inner = frozenset(
                atom
                for atom, above in zip(child.graph.outputs, ahead, strict=True)
                if above and isinstance(atom, Value)
            )
            result |= _reaching(child, found, holds, inner)
        if equation in weights or any(ahead) or any(holds[child] for child in children):
            reached.update(equation.values)
    return result | {level: reached}


def _feeds(level: Level, found, entering: dict[Value, Tap]) -> dict[Level, dict[Value, Tap]]:
    """By level, the layer last passed on the way to each value."""
    last, result = dict(entering), {}
    place = {tap.equation: tap for tap in found[level]}
    rank: dict[Tap, int] = {}
    for number, equation in enumerate(level.graph.equations):
        passed = [last[value] for value in equation.values if value in last]
        latest = max(passed, key=lambda tap: rank.get(tap, -1), default=None)
        made = [latest] * len(equation.outputs)
        for child in level.children.get(equation, ()):
            skipped = len(equation.inputs) - len(child.graph.inputs)  # the index of a `cond`
            inside = _feeds(
                child,
                found,
                {
                    inner: last[outer]
                    for outer, inner in zip(
                        equation.inputs[skipped:], child.graph.inputs, strict=True
                    )
                    if isinstance(outer, Value) and outer in last
                },
            )
            result |= inside
            made = [
                inside[child].get(atom, above) if isinstance(atom, Value) else above
                for atom, above in zip(child.graph.outputs, made, strict=True)
            ]
        if equation in place:
            made = [place[equation]]
        for value, tap in zip(equation.outputs, made, strict=True):
            if tap is not None and level.origins[value].data:
                last[value] = tap
                rank.setdefault(tap, number)
    return result | {level: last}


def _units(level: Level, found: list[Tap]) -> dict[Value, tuple[int, ...]]:
    """The axes along which the units of a value stand, where a layer has said so."""
    known = {tap.value: tap.units for tap in found if tap.kind == "layer"}
    for equation in level.graph.equations:
        if len(equation.outputs) != 1 or equation.outputs[0] in known:
            continue
        output = equation.outputs[0]
        if equation.op in jaxprs.LAYOUT and equation.inputs[0] in known:
            axes = jaxprs.moved_axes(equation, known[equation.inputs[0]])
        else:
            alike = (v for v in equation.values if v in known and v.shape == output.shape)
            axes = next((known[value] for value in alike), None)
        if axes is not None and equation.op not in jaxprs.CONTRACTIONS:
            known[output] = axes
    return known


def _steps(level: Level, found: dict[Level, list[Tap]], fine: bool) -> Steps:
    within = {
        equation: [_steps(child, found, fine) for child in children]
        for equation, children in level.children.items()
    }
    return steps(level, found[level], within, fine=fine)


def steps(level: Level, found: Sequence[Tap], within: dict, *, fine: bool = False) -> Steps:
    """The steps of a level with its taps, of the steps of those nested in it."""
    ends = {tap.value for tap in found} | {tap.source for tap in found if tap.source is not None}
    # What comes down in float32 is brought near one before it becomes a float16.
    ends |= {e.outputs[0] for e in level.graph.equations if e.widens}
    blocks = list(_blocks(level, ends, fine))
    return Steps(level, blocks, {tap.value: tap for tap in found}, within)


def in_order(steps: Steps, loop: Equation | None = None) -> list[Tap]:
    """The taps of a level and of all below it, in the order of the forward pass."""
    made = {}
    for tap in steps.taps.values():
        tap.loop, tap.backwards = loop, loop is not None and loop.loop.reverse
        made.setdefault(_maker(steps.level.graph, tap.value), []).append(tap)
    ordered = []
    for equation in steps.level.graph.equations:
        for inner in steps.within.get(equation, ()):
            ordered += in_order(inner, equation if equation.loop else loop)
        ordered += made.get(equation, ())
    return ordered


def _maker(graph: Graph, value: Value) -> Equation:
    return next(equation for equation in graph.equations if value in equation.outputs)


def _blocks(level: Level, ends: set[Value], fine: bool):
    """Group a level's equations; see the module's first lines."""
    equations = level.graph.equations
    readers = taps.consumers(level)
    returned = {atom for atom in level.graph.outputs if isinstance(atom, Value)}
    ends = set(ends)
    while True:
        if fine:
            groups = {equation: place for place, equation in enumerate(equations)}
        else:
            groups = _groups(level, _depths(level, ends, readers), readers)
        torn = {
            value
            for equation in equations
            for value in equation.outputs
            if value not in ends
            and level.differentiable(value)
            and level.origins[value].data
            and _read_both_sides(value, groups, equation, readers, returned)
        }
        if not torn or fine:
            break
        ends |= torn
    members: dict[int, list[Equation]] = {}
    for equation in equations:
        members.setdefault(groups[equation], []).append(equation)
    made = {tuple(group): _block(level, group, readers, returned) for group in members.values()}
    return _sorted(list(made.values()))


def _read_both_sides(value, groups, equation, readers, returned) -> bool:
    inside = [groups[reader] == groups[equation] for reader in readers[value]]
    return any(inside) and (not all(inside) or value in returned)


def _depths(level: Level, ends: set[Value], readers) -> dict[Equation, int]:
    """How many ends of blocks lie before each equation, at most.

    What is made of parameters alone (a cast, the broadcast of a bias) goes with its reader.
    """
    maker, depth = {}, {}
    for equation in level.graph.equations:
        whole = equation in level.children
        heavy = whole or equation.op in jaxprs.CONTRACTIONS
        before = 0
        for value in equation.values:
            source = maker.get(value)
            if source is not None:
                step = value in ends or source in level.children or heavy
                before = max(before, depth[source] + step)
        depth[equation] = before
        maker.update(dict.fromkeys(equation.outputs, equation))
    for equation in reversed(level.graph.equations):
        if _follows(level, equation) and equation not in level.children:
            reading = [depth[reader] for value in equation.outputs for reader in readers[value]]
            depth[equation] = max(depth[equation], min(reading, default=depth[equation]))
    return depth


def _follows(level: Level, equation: Equation) -> bool:
    return not any(level.origin(value).data for value in equation.outputs)


def _groups(level: Level, depth: dict[Equation, int], readers) -> dict[Equation, int]:
    """Connected equations of one depth, by union and find."""
    parent = {equation: equation for equation in level.graph.equations}

    def root(equation: Equation) -> Equation:
        while parent[equation] is not equation:
            parent[equation] = parent[parent[equation]]
            equation = parent[equation]
        return equation

    for equation in level.graph.equations:
        if equation in level.children:
            continue
        reading = [reader for value in equation.outputs for reader in readers[value]]
        same = [r for r in reading if depth[r] == depth[equation] and r not in level.children]
        if _follows(level, equation) and len(same) < len(reading):
            continue  # a shared cast of a weight keeps a block, and a scale, of its own
        for reader in same:
            parent[root(reader)] = root(equation)
    numbers = {}
    return {
        equation: numbers.setdefault(root(equation), len(numbers))
        for equation in level.graph.equations
    }


def _block(level: Level, group: list[Equation], readers, returned) -> Block:
    made = {value for equation in group for value in equation.outputs}
    members = set(group)
    read = dict.fromkeys(v for equation in group for v in equation.values if v not in made)
    outputs = [
        value
        for equation in group
        for value in equation.outputs
        if value in returned or any(reader not in members for reader in readers[value])
    ]
    return Block(group, list(read), [v for v in read if level.differentiable(v)], outputs)


def _sorted(blocks: list[Block]) -> list[Block]:
    """The blocks in an order in which each comes after those it reads from."""
    maker = {
        value: block
        for block in blocks
        for equation in block.equations
        for value in equation.outputs
    }
    done, ordered = set(), []

    def visit(first: Block) -> None:
        waiting = [(first, iter(first.inputs))]
        done.add(first)
        while waiting:
            block, inputs = waiting[-1]
            needed = next((maker[v] for v in inputs if v in maker and maker[v] not in done), None)
            if needed is None:
                waiting.pop()
                ordered.append(block)
            else:
                done.add(needed)
                waiting.append((needed, iter(needed.inputs)))

    for block in blocks:
        if block not in done:
            visit(block)
    return ordered
