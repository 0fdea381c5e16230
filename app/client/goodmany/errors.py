"""Everything that can go wrong, as exceptions: a class for each kind of problem of a service.

GoodmanyError
├── UnreachableError                  the service does not answer, or something else does
├── WaitTimeoutError                  a wait was given up; the job goes on
├── JobCanceledError                  the job that was waited for was canceled
└── ProblemError                      the service's own word, RFC 9457; a class for each `type`
    ├── InvalidRequestError           a field is missing, out of range or not understood
    ├── UnusableImageError            an image cannot be used: 13 kinds
    ├── UnavailableError              it may go well later: not ready, storage or decoder away
    ├── JobFailedError                only a job ends so: out of memory, too few images, ...
    └── ...

A request that is refused raises its problem. So does waiting for a job that fails; `job` then says
which. What a newer service may say besides is a plain `ProblemError`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from goodmany.status import JobStatus

TYPE_PREFIX = "urn:goodmany:problem:"


class GoodmanyError(Exception):
    """Base of all."""


class UnreachableError(GoodmanyError):
    """The service does not answer, or something else does in its place."""


class WaitTimeoutError(GoodmanyError, TimeoutError):
    """A wait was given up; the job goes on."""


class JobCanceledError(GoodmanyError):
    """The job that was waited for was canceled.

    Attributes:
        job: how it stands.
    """

    def __init__(self, job: "JobStatus"):
        super().__init__(f"Job {job.id} canceled.")
        self.job = job


class ProblemError(GoodmanyError):
    """What the service says about a request, or about a job that failed.

    Attributes:
        slug: the end of its `type`, such as `image-too-small`.
        status: of the HTTP answer; of a failed job, the one that such an answer would have.
        title: the kind, in words.
        detail: this case, one sentence.
        errors: where in the request, as `{"field": ..., "code": ..., "detail": ...}`.
        job: the job that failed; None when a request was refused.
    """

    slug: ClassVar[str] = ""

    def __init__(self, problem: Mapping[str, Any], job: "JobStatus | None" = None):
        self.title, self.detail = str(problem["title"]), str(problem["detail"])
        self.type, self.status = str(problem.get("type", "")), int(problem.get("status", 0))
        self.errors: Sequence[Mapping[str, str]] = problem.get("errors") or ()
        self.job = job
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        if self.job is not None:
            return f"Job {self.job.id} {self.job.state}. {self.detail}"
        # `images[3]: too small` says all that the detail says.
        faults = "; ".join(f"{fault['field']}: {fault['detail']}" for fault in self.errors)
        return f"{self.title}: {faults or self.detail}"


def problem_error(problem: Mapping[str, Any], job: "JobStatus | None" = None) -> ProblemError:
    """The exception of the problem's kind.

    Raises:
        KeyError: that is no problem of this service's.
    """
    slug = str(problem.get("type", "")).removeprefix(TYPE_PREFIX)
    kinds = {kind.slug: kind for kind in _kinds(ProblemError)}
    return kinds.get(slug, ProblemError)(problem, job)


def _kinds(kind: type[ProblemError]) -> Iterator[type[ProblemError]]:
    """All of them that stand for a slug of their own."""
    for special in kind.__subclasses__():
        if special.slug:
            yield special
        yield from _kinds(special)


class InvalidRequestError(ProblemError):
    """A field is missing, out of range or not understood."""

    slug = "invalid-request"


class UnusableImageError(ProblemError):
    """An image cannot be used; the subclass says why."""


class NoImagesError(UnusableImageError):
    """There is no image."""

    slug = "no-images"


class TooManyImagesError(UnusableImageError):
    """More images than the service takes at once."""

    slug = "too-many-images"


class EmptyImageError(UnusableImageError):
    """A file of zero bytes."""

    slug = "empty-image"


class NotAnImageError(UnusableImageError):
    """The content is none of the formats, or none of their kinds of pixels, that are read."""

    slug = "not-an-image"


class DamagedImageError(UnusableImageError):
    """The file begins like an image and then breaks off or makes no sense."""

    slug = "damaged-image"


class ImageTooLargeError(UnusableImageError):
    """More pixels or bytes than one image may have."""

    slug = "image-too-large"


class ImageTooSmallError(UnusableImageError):
    """A side is too short."""

    slug = "image-too-small"


class ImageTooNarrowError(UnusableImageError):
    """It is too many times as long as wide."""

    slug = "image-too-narrow"


class ImageTooCostlyError(UnusableImageError):
    """Its decoding takes more time or memory than an image may take."""

    slug = "image-too-costly"


class SeveralFramesError(UnusableImageError):
    """An animation or several pages: send one picture."""

    slug = "several-frames"


class ShapeMismatchError(UnusableImageError):
    """Its ratio of width to height is too far from the first image's."""

    slug = "shape-mismatch"


class UnusableArchiveError(UnusableImageError):
    """A ZIP is broken, encrypted, or holds what is not read for safety's sake."""

    slug = "unusable-archive"


class UnreadableImagesError(UnusableImageError):
    """What `images_url` names is not there, or not for the service to read."""

    slug = "unreadable-images"


class IdempotencyKeyReusedError(ProblemError):
    """The idempotency key stands for another request already."""

    slug = "idempotency-key-reused"


class MalformedBodyError(ProblemError):
    """The body is not what its content type says."""

    slug = "malformed-body"


class UploadTooLargeError(ProblemError):
    """All images together have more bytes than the service takes."""

    slug = "upload-too-large"


class UploadTooSlowError(ProblemError):
    """The upload has not arrived in time."""

    slug = "upload-too-slow"


class UnauthorizedError(ProblemError):
    """An API key is asked for, and there is none or a wrong one."""

    slug = "unauthorized"


class TooManyRequestsError(ProblemError):
    """The key has used up its requests a minute."""

    slug = "too-many-requests"


class TooManyJobsError(ProblemError):
    """The key has as many unfinished jobs as it may."""

    slug = "too-many-jobs"


class RangeNotSatisfiableError(ProblemError):
    """The range asked for lies outside the file."""

    slug = "range-not-satisfiable"


class RouteNotFoundError(ProblemError):
    """The service has no such route: it may be older than the client."""

    slug = "not-found"


class MethodNotAllowedError(ProblemError):
    """The route exists and the method does not."""

    slug = "method-not-allowed"


class JobNotFoundError(ProblemError):
    """No job of yours has this id."""

    slug = "job-not-found"


class ImageNotFoundError(ProblemError):
    """The archive has no image with this number."""

    slug = "image-not-found"


class JobNotFinishedError(ProblemError):
    """The job is queued or running; its files are not there yet."""

    slug = "job-not-finished"


class JobAlreadyOverError(ProblemError):
    """The job has ended; there is nothing left to cancel."""

    slug = "job-already-over"


class JobWithoutArchiveError(ProblemError):
    """The job failed or was canceled; there will never be an archive."""

    slug = "job-without-archive"


class JobExpiredError(ProblemError):
    """The job's files have been removed."""

    slug = "job-expired"


class UnavailableError(ProblemError):
    """Something is away or full that may be there again later; the subclass says what."""


class NotReadyError(UnavailableError):
    """Something that the service needs is away."""

    slug = "not-ready"


class DecoderUnavailableError(UnavailableError):
    """Images cannot be decoded just now; the image may be good."""

    slug = "decoder-unavailable"


class StorageUnavailableError(UnavailableError):
    """The place of the files does not answer."""

    slug = "storage-unavailable"


class StorageFullError(UnavailableError):
    """There is no room; nothing was kept."""

    slug = "storage-full"


class InternalServiceError(ProblemError):
    """A fault of the service; its log has the rest."""

    slug = "internal-error"


class JobFailedError(ProblemError):
    """Why a job can fail besides; the subclass says it. `detail` says what can be done."""


class GenerationFailedError(JobFailedError):
    """A fault of the method; the worker's log has more."""

    slug = "generation-failed"


class TooFewImagesError(JobFailedError):
    """A strict request got fewer images than it wants, or none passed the guard."""

    slug = "too-few-images"


class OutOfMemoryError(JobFailedError):
    """The device or the worker has too little memory."""

    slug = "out-of-memory"


class JobTimedOutError(JobFailedError):
    """It ran longer than the service lets a job run."""

    slug = "job-timed-out"


class WorkerLostError(JobFailedError):
    """The process that worked on it died, as often as it was tried."""

    slug = "worker-lost"


class InputLostError(JobFailedError):
    """One of its images is no longer in the storage."""

    slug = "input-lost"


class OtherVersionError(JobFailedError):
    """Another version of the service has accepted what its worker does not understand."""

    slug = "other-version"
