"""Everything that can go wrong, and how a client is told: RFC 9457 problem details.

Problem                           slug                       status
├── InvalidRequest                invalid-request            422  with errors[]
├── UnusableImage                 (base of the next 13)      422  with errors[]
│   ├── NoImages                  no-images
│   ├── TooManyImages             too-many-images
│   ├── EmptyImage                empty-image
│   ├── NotAnImage                not-an-image
│   ├── DamagedImage              damaged-image
│   ├── ImageTooLarge             image-too-large
│   ├── ImageTooSmall             image-too-small
│   ├── ImageTooNarrow            image-too-narrow
│   ├── ImageTooCostly            image-too-costly
│   ├── SeveralFrames             several-frames
│   ├── ShapeMismatch             shape-mismatch
│   ├── UnusableArchive           unusable-archive
│   └── UnreadableImages          unreadable-images
├── IdempotencyKeyReused          idempotency-key-reused     422
├── MalformedBody                 malformed-body             400
├── UploadTooLarge                upload-too-large           413
├── UploadTooSlow                 upload-too-slow            408
├── Unauthorized                  unauthorized               401
├── TooManyRequests               too-many-requests          429
├── TooManyJobs                   too-many-jobs              429
├── RangeNotSatisfiable           range-not-satisfiable      416
├── PageNotFound                  not-found                  404
├── MethodNotAllowed              method-not-allowed         405
├── JobNotFound                   job-not-found              404
├── ImageNotFound                 image-not-found            404
├── JobNotFinished                job-not-finished           409
├── JobAlreadyOver                job-already-over           409
├── JobWithoutArchive             job-without-archive        409
├── JobExpired                    job-expired                410
├── NotReady                      not-ready                  503
├── DecoderUnavailable            decoder-unavailable        503
├── StorageUnavailable            storage-unavailable        503
│   └── StorageFull               storage-full               507
├── InternalError                 internal-error             500
└── on a job's record only, with advice: `app/jobs/failures.py`
├── GenerationFailed          generation-failed          500
├── TooFewImages              too-few-images             422
├── OutOfMemory               out-of-memory              500
├── JobTimedOut               job-timed-out              504
├── WorkerLost                worker-lost                500
├── InputLost                 input-lost                 500
└── OtherVersion              other-version              500
"""

from typing import ClassVar

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:goodmany:problem:"


class Problem(Exception):  # noqa: N818, a problem is what RFC 9457 calls it
    """Base of all. Subclasses fix slug, title and status; `detail` tells this one case.

    Attributes:
        detail: one sentence for a person.
        errors: where in the request, as `{"field": ..., "detail": ...}`.
        headers: extra headers of the answer.
    """

    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500

    def __init__(
        self,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ):
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []
        self.headers = headers or {}

    def as_dict(self) -> dict[str, object]:
        """The problem as RFC 9457 has it; `errors` only where there are any."""
        document: dict[str, object] = {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return {**document, "errors": self.errors} if self.errors else document


class InvalidRequest(Problem):
    """A field is missing, out of range or not understood."""

    slug, title, status = "invalid-request", "The request is not valid", 422


class UnusableImage(Problem):
    """An uploaded file cannot be worked with; `in_field` says which."""

    slug, title, status = "unusable-image", "An image cannot be used", 422

    def in_field(self, field: str) -> "UnusableImage":
        """The same problem, naming the upload that has it (`images[3]`)."""
        return type(self)(
            f"{field}: {self.detail}", errors=[{"field": field, "detail": self.detail}]
        )


class NoImages(UnusableImage):
    """There is no upload at all."""

    slug, title = "no-images", "At least one image is needed"


class TooManyImages(UnusableImage):
    """More uploads than `max_images`."""

    slug, title = "too-many-images", "Too many images"


class EmptyImage(UnusableImage):
    """A file of zero bytes."""

    slug, title = "empty-image", "An image file is empty"


class NotAnImage(UnusableImage):
    """The content is none of the formats, or none of their kinds of pixels, that are read."""

    slug, title = "not-an-image", "A file is not an image of a kind that is read"


class DamagedImage(UnusableImage):
    """The file begins like an image and then breaks off or makes no sense."""

    slug, title = "damaged-image", "An image is truncated or damaged"


class ImageTooLarge(UnusableImage):
    """More pixels or bytes than one image may have; told before anything is decoded."""

    slug, title = "image-too-large", "An image is too large"


class ImageTooSmall(UnusableImage):
    """A side is shorter than `min_image_side_px`."""

    slug, title = "image-too-small", "An image is too small"


class ImageTooNarrow(UnusableImage):
    """It is more than `MAX_ELONGATION` times as long as wide (`app/images/output_size.py`)."""

    slug, title = "image-too-narrow", "An image is too long and narrow"


class SeveralFrames(UnusableImage):
    """An animation or a file of several pages: which frame is meant is not ours to guess."""

    slug, title = "several-frames", "An image file holds several frames"


class ImageTooCostly(UnusableImage):
    """Its decoding was ended, or not begun: it takes more time or memory than an image may take."""

    slug, title = "image-too-costly", "An image takes too much to decode"


class ShapeMismatch(UnusableImage):
    """Its ratio of width to height is too far from the first image's."""

    slug, title = "shape-mismatch", "The images differ too much in shape"


class UnusableArchive(UnusableImage):
    """An uploaded ZIP is broken, encrypted, or holds what is not read for safety's sake."""

    slug, title = "unusable-archive", "A ZIP cannot be used"


class UnreadableImages(UnusableImage):
    """What `images_url` names is not there, or not for this service to read."""

    slug, title = "unreadable-images", "There are no images that may be read"


class IdempotencyKeyReused(Problem):
    """The `Idempotency-Key` stands for another request already."""

    slug, title, status = "idempotency-key-reused", "The idempotency key was used before", 422


class MalformedBody(Problem):
    """The body is not what its content type says."""

    slug, title, status = "malformed-body", "The body cannot be read", 400


class UploadTooLarge(Problem):
    """The body has more than `max_upload_bytes`; counted as the bytes arrive."""

    slug, title, status = "upload-too-large", "The upload is too large", 413


class UploadTooSlow(Problem):
    """The body has not arrived within `upload_timeout_s`."""

    slug, title, status = "upload-too-slow", "The upload takes too long", 408


class Unauthorized(Problem):
    """An API key is asked for, and there is none, or an unknown or revoked one."""

    slug, title, status = "unauthorized", "A valid API key is needed", 401

    def __init__(self, detail: str):
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="goodmany"'})


class TooManyRequests(Problem):
    """The key has used up its requests a minute; `Retry-After` says when there is one again."""

    slug, title, status = "too-many-requests", "Too many requests", 429


class TooManyJobs(Problem):
    """The key has `max_unfinished_jobs` jobs queued or running."""

    slug, title, status = "too-many-jobs", "Too many unfinished jobs", 429


class RangeNotSatisfiable(Problem):
    """The range asked for lies outside the file."""

    slug, title, status = "range-not-satisfiable", "The range lies outside the file", 416


class PageNotFound(Problem):
    """No such route."""

    slug, title, status = "not-found", "There is nothing here", 404


class MethodNotAllowed(Problem):
    """The route exists and the method does not."""

    slug, title, status = "method-not-allowed", "This method is not allowed here", 405


class JobNotFound(Problem):
    """No job has this id."""

    slug, title, status = "job-not-found", "Unknown job", 404


class ImageNotFound(Problem):
    """The job's archive has no image with this number."""

    slug, title, status = "image-not-found", "No image with this number", 404


class JobNotFinished(Problem):
    """The job is queued or running; its files are not there yet."""

    slug, title, status = "job-not-finished", "The job is not finished", 409


class JobAlreadyOver(Problem):
    """The job has ended; there is nothing left to cancel."""

    slug, title, status = "job-already-over", "The job is already over", 409


class JobWithoutArchive(Problem):
    """The job failed or was canceled; there will never be an archive."""

    slug, title, status = "job-without-archive", "The job has no archive", 409


class JobExpired(Problem):
    """The job's files have been removed."""

    slug, title, status = "job-expired", "The job has expired", 410


class NotReady(Problem):
    """Something that the service needs is away."""

    slug, title, status = "not-ready", "The service is not ready", 503


class DecoderUnavailable(Problem):
    """The process that decodes images does not start or was killed; the image may be good."""

    slug, title, status = "decoder-unavailable", "Images cannot be decoded just now", 503


class StorageUnavailable(Problem):
    """The place of the files does not answer, or lacks a file that must be there."""

    slug, title, status = "storage-unavailable", "The storage is not available", 503


class StorageFull(StorageUnavailable):
    """There is no room for the file; nothing of it was kept."""

    slug, title, status = "storage-full", "The storage is full", 507


class InternalError(Problem):
    """A fault of ours; the log has the rest."""


class GenerationFailed(Problem):
    """The method raised what it should not; the worker's log has the rest under a number."""

    slug, title, status = "generation-failed", "The generation failed", 500


class TooFewImages(Problem):
    """A strict request got fewer images than it wants."""

    slug, title, status = "too-few-images", "Too few images passed the normality guard", 422


class OutOfMemory(Problem):
    """The memory of device or worker did not suffice for the job, not even one image at a time."""

    slug, title, status = "out-of-memory", "The memory does not suffice", 500


class JobTimedOut(Problem):
    """The job ran longer than `job_timeout_s`."""

    slug, title, status = "job-timed-out", "The job took too long", 504


class WorkerLost(Problem):
    """The process that worked on the job died, as often as it was tried."""

    slug, title, status = "worker-lost", "The worker process died", 500


class InputLost(Problem):
    """An image of the job is no longer in the storage, which is there."""

    slug, title, status = "input-lost", "An image of the job is gone", 500


class OtherVersion(Problem):
    """The request has something that this version of the worker does not know."""

    slug, title, status = "other-version", "The job is of another version", 500
