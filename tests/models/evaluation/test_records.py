from dataclasses import dataclass

from models.evaluation.records import read_records, write_records


@dataclass(frozen=True)
class Record:
    name: str
    count: int
    share: float


def test_records_come_back_as_they_were(tmp_path):
    records = [Record("a, b", 3, 1 / 3), Record("", -1, float("inf"))]
    write_records(tmp_path / "records.csv", Record, records)
    assert read_records(tmp_path / "records.csv", Record) == records
    assert [p.name for p in tmp_path.iterdir()] == ["records.csv"]


def test_no_records_are_a_file_too(tmp_path):
    write_records(tmp_path / "records.csv", Record, [])
    assert read_records(tmp_path / "records.csv", Record) == []
