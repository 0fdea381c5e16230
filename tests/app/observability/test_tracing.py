"""Without an endpoint or without the extra, there is no SDK and no harm."""

import os
import subprocess
import sys

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def start(prelude: str, **variables: str) -> subprocess.CompletedProcess[str]:
    program = f"""
import sys
{prelude}
import app.main, app.observability.tracing
from app.settings import Settings
app.main.create_app(Settings())
app.observability.tracing.start_tracing("test")
# The Redis client looks into the SDK's metrics by itself.
parts = ("opentelemetry.sdk.trace", "opentelemetry.exporter")
print(sorted(name for name in sys.modules if name.startswith(parts)))
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=True,
    )


def test_without_an_endpoint_the_sdk_is_not_imported():
    answer = start("")
    assert (answer.stdout, answer.stderr) == ("[]\n", "")


def test_an_endpoint_without_the_extra_is_one_warning():
    answer = start("sys.modules['opentelemetry.sdk.trace'] = None", **{ENDPOINT: "http://[::1]:9"})
    assert answer.stderr == "no traces are sent: goodmany[otel] is not installed\n"


def test_with_both_the_sdk_is_there():
    answer = start("", **{ENDPOINT: "http://[::1]:9"})
    assert "opentelemetry.sdk.trace" in answer.stdout
