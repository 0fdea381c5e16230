"""The evidence's ZIP: what its index tells is there, and all of it can be laid over each other."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.jobs.evidence import INDEX_FILE, Evidence, EvidenceKind, Place, picture_name
from models.job.request import GenerationResult, RejectedImage
from tests.workers.archive.made import made_request, made_result
from workers.archive.evidence import LARGE_SIDE_PX, write_evidence
from workers.archive.small_pictures import SMALL_SIDE_PX

STRANGE = RejectedImage(
    np.full((32, 48, 3), 200, np.uint8), 1, "anomalous", 1.5, 0.5, (0.5, 0.25, 0.125, 0.25)
)


class StopError(Exception):
    pass


def evidence_of(result: GenerationResult) -> zipfile.ZipFile:
    file = io.BytesIO()
    write_evidence(file, made_request().images, result)
    return zipfile.ZipFile(file)


def with_rejected(*rejected: RejectedImage, size: tuple[int, int] = (48, 32)) -> GenerationResult:
    made = made_result(3)
    return GenerationResult(
        images=made.images,
        prompt=made.prompt,
        report=made.report,
        variance=made.variance,
        size=size,
        rejected=rejected,
    )


def picture(evidence: zipfile.ZipFile, kind: EvidenceKind, number: int) -> Image.Image:
    return Image.open(io.BytesIO(evidence.read(picture_name(kind, number))))


@pytest.mark.parametrize("size", [(48, 32), (3000, 2000)])
def test_there_is_a_picture_of_all_that_the_index_names(size: tuple[int, int]):
    evidence = evidence_of(with_rejected(STRANGE, size=size))
    index = Evidence.model_validate_json(evidence.read(INDEX_FILE))
    assert (index.num_real, index.has_variance) == (2, True)
    assert index.rejections == {"defect": 2}
    (rejected,) = index.rejected
    assert (rejected.reason, rejected.source) == ("anomalous", 1)
    assert rejected.place == Place(left=0.5, top=0.25, width=0.125, height=0.25)
    numbers = {EvidenceKind.real: 2, EvidenceKind.variance: 2, EvidenceKind.rejected: 1}
    numbers[EvidenceKind.new] = 3
    names = {picture_name(kind, n) for kind, number in numbers.items() for n in range(number)}
    assert set(evidence.namelist()) == {INDEX_FILE, *names}
    for kind in EvidenceKind:
        width, height = picture(evidence, kind, 0).size
        assert abs(width / height - 1.5) < 0.01, kind
        assert width <= (SMALL_SIDE_PX if kind is EvidenceKind.new else LARGE_SIDE_PX)
    assert picture(evidence, EvidenceKind.real, 0).size == (min(size[0], 1024), min(size[1], 683))


def test_where_sigma_varies_nothing_there_is_no_map_of_it():
    evidence = evidence_of(replace(with_rejected(), variance=None))
    assert not Evidence.model_validate_json(evidence.read(INDEX_FILE)).has_variance
    assert picture_name(EvidenceKind.real, 1) in evidence.namelist()
    assert picture_name(EvidenceKind.variance, 0) not in evidence.namelist()


def test_who_stops_it_is_heard():
    def stop() -> None:
        raise StopError

    with pytest.raises(StopError):
        write_evidence(io.BytesIO(), made_request().images, made_result(), on_picture=stop)


def test_without_rejections_it_tells_none():
    index = json.loads(evidence_of(with_rejected()).read(INDEX_FILE))
    assert index["rejected"] == []
