"""A matrix product in WebAssembly with 128-bit vectors, assembled here, byte by byte.

`C[batch, i, j] = Σ_k A[batch, i, k] B[batch, k, j]` in float32. `A` may have any strides;
the columns of `B` lie side by side and `C` is dense. The product is computed in tiles of
4 rows × 8 columns held in registers; what does not fill a tile is done in smaller ones.
All addresses and strides that the function receives are in bytes.

Assembled here and not by wabt: that would be an npm package to install before Python can import
this one, or a binary to commit, for one function of a hundred lines.

Source: WebAssembly Core Specification 2.0, §5 (binary format).
"""

from __future__ import annotations

PARAMETERS = ["a", "a_batch", "a_row", "a_col", "b", "b_batch", "b_row", "c"]
PARAMETERS += ["batches", "m", "k", "n"]
INTEGERS = [*PARAMETERS, "i", "j", "p", "b_at", "c_at", *(f"a{r}" for r in range(4))]
VECTORS = [f"sum{r}{v}" for r in range(4) for v in range(2)] + ["b0", "b1", "factor"]
FLOATS = [f"total{r}" for r in range(4)]
LOCALS = {name: slot for slot, name in enumerate([*INTEGERS, *VECTORS, *FLOATS])}

I32, F32, F64, V128, VOID = 0x7F, 0x7D, 0x7C, 0x7B, 0x40
ADD, MUL, SUB, GREATER, NOT = b"\x6a", b"\x6c", b"\x6b", b"\x4a", b"\x45"
SPLAT_LOAD, LOAD, STORE = b"\xfd\x09\x02\x00", b"\xfd\x00\x02\x00", b"\xfd\x0b\x02"
VECTOR_ADD, VECTOR_MUL = b"\xfd\xe4\x01", b"\xfd\xe6\x01"
ZERO_VECTOR, ZERO_FLOAT = b"\xfd\x0c" + bytes(16), b"\x43" + bytes(4)
FLOAT_LOAD, FLOAT_STORE, FLOAT_ADD, FLOAT_MUL = b"\x2a\x02\x00", b"\x38\x02\x00", b"\x92", b"\x94"


def leb(value: int, signed: bool = False) -> bytes:
    """A whole number in LEB128.

    >>> leb(624485).hex(), leb(-2, signed=True).hex()
    ('e58e26', '7e')
    """
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        sign = byte & 0x40
        if (value == 0 and not (signed and sign)) or (signed and value == -1 and sign):
            return bytes([*out, byte])
        out.append(byte | 0x80)


def get(name: str) -> bytes:
    """Push a local variable."""
    return b"\x20" + leb(LOCALS[name])


def put(name: str, value: bytes) -> bytes:
    """Set a local variable."""
    return value + b"\x21" + leb(LOCALS[name])


def const(value: int) -> bytes:
    """Push a whole number."""
    return b"\x41" + leb(value, signed=True)


def bump(name: str, step: bytes) -> bytes:
    """Add to a local variable."""
    return put(name, get(name) + step + ADD)


def repeat(until: bytes, body: bytes) -> bytes:
    """A loop that ends when `until` is true, tested before each round."""
    void = bytes([VOID])
    return b"\x02" + void + b"\x03" + void + until + b"\x0d\x01" + body + b"\x0c\x00\x0b\x0b"


def _rows(rows: int, step) -> bytes:
    return b"".join(step(r) for r in range(rows))


def tile(rows: int, width: int) -> bytes:
    """Compute `rows` × `width` elements of C; a width of 1 uses plain floats."""
    vectors = range(width // 4)
    code = put("b_at", get("b") + get("j") + const(4) + MUL + ADD)
    code += put("a0", get("a") + get("i") + get("a_row") + MUL + ADD)
    code += _rows(rows - 1, lambda r: put(f"a{r + 1}", get(f"a{r}") + get("a_row") + ADD))
    for r in range(rows):
        code += put(f"total{r}", ZERO_FLOAT) if width == 1 else b""
        code += b"".join(put(f"sum{r}{v}", ZERO_VECTOR) for v in vectors)
    inner = b"".join(put(f"b{v}", get("b_at") + LOAD[:-1] + leb(16 * v)) for v in vectors)
    for r in range(rows):
        inner += _multiply(r, vectors) if width > 1 else _multiply_one(r)
        inner += bump(f"a{r}", get("a_col"))
    inner += bump("b_at", get("b_row")) + put("p", get("p") + const(1) + SUB)
    code += put("p", get("k")) + repeat(get("p") + NOT, inner)
    row = get("n") + const(4) + MUL
    code += put("c_at", get("c") + get("i") + row + MUL + ADD + get("j") + const(4) + MUL + ADD)
    for r in range(rows):
        for v in vectors:
            code += get("c_at") + get(f"sum{r}{v}") + STORE + leb(16 * v)
        code += get("c_at") + get(f"total{r}") + FLOAT_STORE if width == 1 else b""
        code += bump("c_at", row)
    return code


def _multiply(row: int, vectors: range) -> bytes:
    code = put("factor", get(f"a{row}") + SPLAT_LOAD)
    for v in vectors:
        product = get("factor") + get(f"b{v}") + VECTOR_MUL
        code += put(f"sum{row}{v}", get(f"sum{row}{v}") + product + VECTOR_ADD)
    return code


def _multiply_one(row: int) -> bytes:
    product = get(f"a{row}") + FLOAT_LOAD + get("b_at") + FLOAT_LOAD + FLOAT_MUL
    return put(f"total{row}", get(f"total{row}") + product + FLOAT_ADD)


def matmul_code() -> bytes:
    """The body of the function, without its locals."""
    code = put("j", const(0))
    for width in (8, 4, 1):
        band = put("i", const(0))
        for rows in (4, 1):
            full = get("i") + const(rows) + ADD + get("m") + GREATER
            band += repeat(full, tile(rows, width) + bump("i", const(rows)))
        full = get("j") + const(width) + ADD + get("n") + GREATER
        code += repeat(full, band + bump("j", const(width)))
    code += bump("a", get("a_batch")) + bump("b", get("b_batch"))
    code += bump("c", get("m") + get("n") + MUL + const(4) + MUL)
    code += put("batches", get("batches") + const(1) + SUB)
    return repeat(get("batches") + NOT, code)


def section(number: int, content: bytes) -> bytes:
    """A section of a module."""
    return bytes([number]) + leb(len(content)) + content


def name_bytes(text: str) -> bytes:
    """A name, its length first."""
    return leb(len(text)) + text.encode()


def module() -> bytes:
    """The WebAssembly module: imports `e.m` (its memory), exports `f` (the product).

    >>> module()[:8].hex()
    '0061736d01000000'
    """
    local_types = [(len(INTEGERS) - len(PARAMETERS), I32), (len(VECTORS), V128), (len(FLOATS), F32)]
    declared = leb(len(local_types)) + b"".join(leb(n) + bytes([t]) for n, t in local_types)
    body = declared + matmul_code() + b"\x0b"
    signature = b"\x60" + leb(len(PARAMETERS)) + bytes([I32] * len(PARAMETERS)) + b"\x00"
    return b"\0asm\1\0\0\0" + b"".join(
        [
            section(1, b"\x01" + signature),
            section(2, b"\x01" + name_bytes("e") + name_bytes("m") + b"\x02\x00\x01"),
            section(3, b"\x01\x00"),
            section(7, b"\x01" + name_bytes("f") + b"\x00\x00"),
            section(10, b"\x01" + leb(len(body)) + body),
        ]
    )


def module_digits() -> str:
    """The module as text, to be placed in the runtime."""
    return module().hex()
