"""The HTTP route of a job's webhook deliveries."""

from fastapi import APIRouter, Depends

from app.http.known_query import refuse_unknown_query
from app.http.openapi.responses import problems
from app.http.services import OwnerDep, ServicesDep
from app.jobs.deliveries import DeliveryList, DeliveryLog
from app.problems import InvalidRequest, JobNotFound, NotReady

router = APIRouter(
    prefix="/v1/jobs",
    tags=["jobs"],
    responses=problems(NotReady, InvalidRequest),
    dependencies=[Depends(refuse_unknown_query)],
)


@router.get(
    "/{job_id}/deliveries",
    operation_id="list_deliveries",
    summary="What became of the job's webhook",
    responses=problems(JobNotFound),
)
def list_deliveries(job_id: str, services: ServicesDep, owner: OwnerDep) -> DeliveryList:
    """Each try with its time and its answer; empty without a `callback_url` or before the end."""
    services.store.get(job_id, owner)
    return DeliveryList(items=DeliveryLog(services.store.connection).read(job_id))
