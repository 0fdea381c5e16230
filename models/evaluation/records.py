"""Flat dataclasses as lines of a CSV file."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

Record = TypeVar("Record")


def write_records(path: Path, kind: type[Record], records: Iterable[Record]) -> None:
    """Writes one line a record; the file appears whole or not at all."""
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(_types(kind)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(record) for record in records)  # type: ignore[call-overload]
    partial.rename(path)


def read_records(path: Path, kind: type[Record]) -> list[Record]:
    """Reads what `write_records` wrote; the fields are of type str, int or float."""
    types = _types(kind)
    with path.open(newline="") as file:
        return [
            kind(**{name: types[name](text) for name, text in line.items()})
            for line in csv.DictReader(file)
        ]


def _types(kind: type[Any]) -> dict[str, Any]:
    return {field.name: field.type for field in fields(kind)}
