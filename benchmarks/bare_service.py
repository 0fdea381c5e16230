"""A Starlette route that does nothing, served as the API is: what an answer costs at the least.

    python -m benchmarks.bare_service PORT ANSWER

`GET /` answers with the file's bytes; `POST /` reads a form before it does.
"""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    answers = {path.name: path.read_bytes() for path in folder.iterdir()}

    async def answer(request: Request) -> Response:
        if request.method == "POST":
            async with request.form():
                pass
        content = answers[request.path_params["name"]]
        return Response(content, media_type="application/json")

    app = Starlette(routes=[Route("/{name}", answer, methods=["GET", "POST"])])
    uvicorn.run(app, port=port, access_log=False, log_config=None)


if __name__ == "__main__":
    main()
