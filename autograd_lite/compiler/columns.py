"""Arrays with a row for each point: the numbers of a group of points, read from their columns and written to them.

An array of one column is a vector for each group. Of more columns, the rows of a group are read as vectors and turned about in
registers, so many columns at once as a vector has lanes (a tile); a single column is gathered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from autograd_lite.compiler.ir import Builder, Operand

_AHEAD = 2  # groups: their rows are fetched while this one's are computed with


class Columns:
    """Where the numbers of a point lie. `counts` says of each how many columns its array has; 0: it is shared by all points."""

    def __init__(self, counts: Sequence[int]) -> None:
        self.counts = counts
        self.row: list[int] = []  # of each number: its index among the shared ones, or that of its array
        self.column: list[int] = []  # in that array
        shared = arrays = at = 0
        for count in counts:
            self.row.append(arrays if count else shared)
            self.column.append(at)
            shared += count == 0
            at += count != 0
            if count and at == count:
                arrays, at = arrays + 1, 0
        self.arrays = arrays

    def tile(self, place: int, width: int) -> tuple[int, int]:
        """The array of a number, and the column that the tile it is in begins at."""
        return self.row[place], _first(self.column[place], self.counts[place], width)

    def busy_tiles(self, places: Iterable[int], width: int) -> set[tuple[int, int]]:
        """The tiles of which two columns or more are asked for."""
        uses = Counter([self.tile(place, width) for place in places if self.counts[place] > 1])
        return {tile for tile, count in uses.items() if count > 1}


def _first(column: int, count: int, width: int) -> int:
    return 0 if count < width else min(column // width * width, count - width)


def address(builder: Builder, array: str, i: int) -> str:
    """The i-th of an array of addresses."""
    at = builder.emit(f"getelementptr ptr, ptr %{array}, i64 {i}", "list").text
    return builder.emit(f"load ptr, ptr {at}", "list").text


def read(builder: Builder, array: str, column: int, count: int, is_busy: bool) -> Operand:
    """The numbers from %point on in a column of an array of so many; of a busy tile all are read at once."""
    width = builder.width
    if count == 1:
        return _load(builder, _place(builder, array, "%point"))
    if width == 1:
        return _load(builder, _row(builder, array, 0, column, count))
    if not is_busy:
        return builder.gather(_row(builder, array, 0, column, count), count)
    if count < width:
        vectors = [_load(builder, _row(builder, array, 0, width * i, count)) for i in range(count)]
        return _picked(builder, vectors, [divmod(lane * count + column, width) for lane in range(width)])
    first = _first(column, count, width)
    rows = []
    for lane in range(width):
        rows.append(_load(builder, _row(builder, array, lane, first, count)))
        _prefetch(builder, _row(builder, array, lane + _AHEAD * width, first, count))
    return _turned(builder, rows)[column - first]


def write(builder: Builder, array: str, numbers: Sequence[Operand]) -> None:
    """Have these numbers as the rows from %point on of an array of so many columns."""
    count, width = len(numbers), builder.width
    if count == 1:
        _store(builder, numbers[0], _place(builder, array, "%point"))
    elif width == 1:
        for column, x in enumerate(numbers):
            _store(builder, x, _row(builder, array, 0, column, count))
    elif count < width:
        for i in range(count):
            lanes = [divmod(width * i + lane, count)[::-1] for lane in range(width)]
            _store(builder, _picked(builder, numbers, lanes), _row(builder, array, 0, width * i, count))
    else:
        for first in dict.fromkeys([_first(column, count, width) for column in range(count)]):
            for lane, x in enumerate(_turned(builder, numbers[first : first + width])):
                _store(builder, x, _row(builder, array, lane, first, count))


def write_column(builder: Builder, array: str, column: int, count: int, x: Operand) -> None:
    """Have these numbers in one of the columns from %point on."""
    if count == 1 or builder.width == 1:
        _store(builder, x, _row(builder, array, 0, column, count))
    else:
        builder.scatter(_row(builder, array, 0, column, count), count, x)


def new_points(builder: Builder) -> list[Operand]:
    """Which points of a group were not in the one before it: those from lane %again on."""
    if builder.width == 1:
        return []
    numbered = f"<{', '.join([f'i64 {lane}' for lane in range(builder.width)])}>"
    again = builder.filled("%again", builder.width, "i64")
    return [builder.emit(f"icmp sge <{builder.width} x i64> {numbered}, {again}", "bool")]


def _place(builder: Builder, array: str, index: str) -> str:
    return builder.emit(f"getelementptr double, ptr {array}, i64 {index}", "list").text


def _row(builder: Builder, array: str, lane: int, column: int, count: int) -> str:
    """The address of the number in a column of the row of point %point + lane."""
    start = builder.emit(f"mul i64 %point, {count}", "int").text
    return _place(builder, _place(builder, array, start), str(lane * count + column))


def _load(builder: Builder, at: str) -> Operand:
    return builder.emit(f"load {builder.type('float')}, ptr {at}, align 8", "float")


def _store(builder: Builder, x: Operand, at: str) -> None:
    builder.write(f"store {builder.typed(x)}, ptr {at}, align 8")


def _prefetch(builder: Builder, at: str) -> None:
    """Ask for a later group's numbers, to come near: processors foresee steps of a row's length badly."""
    name = builder.module.declare("llvm.prefetch.p0", "void", ["ptr", "i32", "i32", "i32"])
    builder.once(f"call void @{name}(ptr {at}, i32 0, i32 2, i32 1)")


def _turned(builder: Builder, rows: Sequence[Operand]) -> list[Operand]:
    """The columns of a square: lanes and rows exchanged, by one bit of their numbers after the other."""
    width, found = len(rows), list(rows)
    distance = 1
    while distance < width:
        for i in range(width):
            if not i & distance:
                a, b = found[i], found[i | distance]
                low = [lane if not lane & distance else width + lane - distance for lane in range(width)]
                high = [lane + distance if not lane & distance else width + lane for lane in range(width)]
                found[i], found[i | distance] = builder.shuffle(a, b, low), builder.shuffle(a, b, high)
        distance *= 2
    return found


def _picked(builder: Builder, vectors: Sequence[Operand], lanes: Sequence[tuple[int, int]]) -> Operand:
    """The vector with these lanes: each the number of a vector, and of a lane in that."""
    width = len(lanes)
    needed = list(dict.fromkeys([vector for vector, _ in lanes]))
    found = vectors[needed[0]]
    mask = [lane if vector == needed[0] else None for vector, lane in lanes]
    if len(needed) == 1:
        return builder.shuffle(found, found, mask)
    for at, other in enumerate(needed[1:]):
        # The first shuffle brings the first vector's lanes to their places, the others leave what is there.
        before = mask if at == 0 else [i if vector in needed[: at + 1] else None for i, (vector, _) in enumerate(lanes)]
        chosen = [width + lane if vector == other else before[i] for i, (vector, lane) in enumerate(lanes)]
        found = builder.shuffle(found, vectors[other], chosen)
    return found
