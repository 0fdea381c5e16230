"""Everything that a job can fail with, and what its sender can do then.

A failure on a job's record is a problem as any other, and its `detail` ends with this advice: it is
added where the record is written (`JobStore.fail`), so that no failure goes without.
"""

from app.problems import (
    DecoderUnavailable,
    GenerationFailed,
    InputLost,
    InvalidRequest,
    JobTimedOut,
    OtherVersion,
    OutOfMemory,
    Problem,
    StorageFull,
    StorageUnavailable,
    TooFewImages,
    UnusableImage,
    WorkerLost,
)

# Of a kind that is not here the nearest base counts.
ADVICE: dict[type[Problem], str] = {
    TooFewImages: "Send more good images, ask for fewer new ones, or leave `strict` out.",
    OutOfMemory: "Ask for a smaller `image_size`, or send fewer or smaller images.",
    JobTimedOut: "Ask for fewer images, a smaller `image_size` or less `effort`, or have the "
    "operator raise GOODMANY_JOB_TIMEOUT_S.",
    WorkerLost: "Ask for a smaller `image_size` or fewer images if memory may be the reason; "
    "otherwise send the job again. The worker's log has more under the job's id.",
    InputLost: "Send the job again with its images.",
    OtherVersion: "Send the job again.",
    StorageFull: "Have the operator make room, then send the job again.",
    StorageUnavailable: "Send the job again once `/readyz` says that the storage is there.",
    DecoderUnavailable: "Send the job again; if it happens again, tell the operator, whose log "
    "says why the process ended.",
    # These were let in: the operator has changed a setting since, or the file has changed.
    UnusableImage: "Replace that image and send the job again.",
    InvalidRequest: "Correct the request and send the job again.",
    GenerationFailed: "It is a fault of ours: please report it with the lines that the worker's "
    "log has under this number.",
    Problem: "It is a fault of ours: please report it with the lines that the worker's log has "
    "under the job's id.",
}


def as_failure(problem: Problem) -> dict[str, object]:
    """The problem as it stands on a job's record, with its advice; JSON-able."""
    advice = next(ADVICE[kind] for kind in type(problem).__mro__ if kind in ADVICE)
    return {**problem.as_dict(), "detail": f"{problem.detail} {advice}"}
