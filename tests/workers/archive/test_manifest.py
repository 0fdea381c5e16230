import hashlib
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from app.jobs.inputs import InputImage, InputWarning
from tests.workers.archive.made import (
    CREATED_AT,
    archive_bytes,
    contents,
    made_request,
    made_result,
)
from workers.archive.write import write_archive


def test_two_runs_differ_in_the_manifests_run_alone():
    first = contents(archive_bytes(made_result(), made_request()))
    second = contents(
        archive_bytes(
            made_result(timings_s={"adapt": 9.0}),
            made_request(),
            job_id="job-2",
            created_at=datetime(2027, 1, 1, tzinfo=UTC),
        )
    )
    manifests = [json.loads(files.pop("manifest.json")) for files in (first, second)]
    assert first == second
    runs = [manifest.pop("run") for manifest in manifests]
    assert manifests[0] == manifests[1]
    assert runs[0] != runs[1]
    assert runs[0] == {
        "job_id": "job-1",
        "created_at": "2026-03-01T12:30:00+00:00",
        "timings_s": {"adapt": 1.25},
    }


def test_the_manifest_says_how_the_images_were_understood():
    told = [
        InputImage(width=96, height=40, bit_depth=12, channels=1, orientation=6, white=4095),
        InputImage(
            width=48,
            height=40,
            bit_depth=8,
            channels=3,
            orientation=1,
            white=255,
            warnings=[InputWarning(code="duplicate", detail="Seen before.", same_as=0)],
        ),
    ]
    file = io.BytesIO()
    write_archive(
        file,
        made_result(),
        made_request(),
        job_id="job-1",
        created_at=CREATED_AT,
        inputs=told,
        bit_depth=12,
    )
    asked = json.loads(contents(file.getvalue())["manifest.json"])["request"]
    assert asked["bit_depth"] == 12
    assert [image["file"] for image in asked["images"]] == [
        image.model_dump(mode="json") for image in told
    ]
    assert [image["width_px"] for image in asked["images"]] == [48, 48]


def test_manifest_tells_request_models_and_images():
    request = made_request(num_images=5, invariances=frozenset({"shift", "rotate"}))
    manifest = json.loads(contents(archive_bytes(made_result(3), request))["manifest.json"])
    assert manifest["schema_version"] == "1.0"
    assert manifest["request"]["invariances"] == ["rotate", "shift"]
    assert (manifest["num_images_requested"], manifest["num_images"]) == (5, 3)
    assert manifest["prompt"]["candidates"] == [{"text": "a nut"}]
    assert manifest["models"]["encoder"] == {"name": "embedded", "revision": "1"}
    assert manifest["rejections"] == {"defect": 2}
    assert [image["file"] for image in manifest["images"]] == [
        f"metal_nut/train/good/{n:03d}.png" for n in range(3)
    ]
    assert {"goodmany", "python", "torch"} <= set(manifest["versions"])
    digest = hashlib.sha256(np.asarray(request.images[0]).tobytes()).hexdigest()
    assert manifest["request"]["images"][0]["pixels_sha256"] == digest


def test_a_number_that_json_has_not_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        archive_bytes(made_result(guard={"threshold": float("inf")}), made_request())
