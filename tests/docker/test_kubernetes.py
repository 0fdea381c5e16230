"""The manifests follow their schemas, confine what they run, and name what goodmany has."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import typer
import yaml

from app.http.services import MAX_DECODING
from app.jobs.model import Priority
from app.settings import Settings
from tests.docs.pages import blocks
from workers.cli.main import cli

ROOT = Path(__file__).parents[2]
BASE, GPU = ROOT / "docker/kubernetes/base", ROOT / "docker/kubernetes/gpu"
# The oldest that we write for, and the newest that the checker knows.
VERSIONS = ("1.30", kubernetes_validate.latest_version())
# Not settings of ours: what S3's client, the hub's and redis-cli read.
FOREIGN = {
    *("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("HF_HOME", "REDIS_PASSWORD", "REDISCLI_AUTH"),
}
UNITS = {"Mi": 2**20, "Gi": 2**30}

Manifest = dict[str, Any]


@cache
def read(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text()))


def kustomization(folder: Path) -> Manifest:
    (found,) = read(folder / "kustomization.yaml")
    return found


def base() -> list[Manifest]:
    return [m for name in kustomization(BASE)["resources"] for m in read(BASE / name)]


def merged(manifest: Any, patch: Any) -> Any:
    """A strategic merge as far as the overlay uses it: lists of named things merge by name."""
    if isinstance(manifest, dict) and isinstance(patch, dict):
        keys = (*manifest, *(key for key in patch if key not in manifest))
        return {
            key: merged(manifest[key], patch[key])
            if key in manifest and key in patch
            else {**manifest, **patch}[key]
            for key in keys
        }
    if isinstance(patch, list) and all("name" in item for item in patch):
        changes = {item["name"]: item for item in patch}
        kept = [merged(item, changes.pop(item["name"], {})) for item in manifest]
        return [*kept, *changes.values()]
    return patch


def with_gpu() -> list[Manifest]:
    manifests = base()
    for patch in (read(GPU / change["path"])[0] for change in kustomization(GPU)["patches"]):
        (place,) = (
            number
            for number, manifest in enumerate(manifests)
            if (manifest["kind"], manifest["metadata"]["name"])
            == (patch["kind"], patch["metadata"]["name"])
        )
        assert patch["metadata"]["namespace"] == kustomization(BASE)["namespace"]
        manifests[place] = merged(manifests[place], patch)
    return manifests


ALL = {"base": base(), "gpu": with_gpu()}
MANIFESTS = [
    pytest.param(manifest, id=f"{name}-{manifest['kind']}-{manifest['metadata']['name']}")
    for name, manifests in ALL.items()
    for manifest in manifests
]


def of_kind(kind: str, name: str = "base") -> dict[str, Manifest]:
    return {m["metadata"]["name"]: m for m in ALL[name] if m["kind"] == kind}


def pods(name: str = "base") -> dict[str, Manifest]:
    """The pods' templates, by the name of what makes them."""
    makers = {**of_kind("Deployment", name), **of_kind("StatefulSet", name)}
    return {maker: manifest["spec"]["template"] for maker, manifest in makers.items()}


def containers(name: str = "base") -> dict[str, Manifest]:
    found = {}
    for maker, template in pods(name).items():
        (found[maker],) = template["spec"]["containers"]
    return found


def memory_bytes(text: str) -> int:
    return int(text[:-2]) * UNITS[text[-2:]]


KEDA: dict[str, Manifest] = {
    "TriggerAuthentication": {
        "type": "object",
        "required": ["secretTargetRef"],
        "additionalProperties": False,
        "properties": {
            "secretTargetRef": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["parameter", "name", "key"],
                    "additionalProperties": False,
                    "properties": {
                        "parameter": {"enum": ["password", "username"]},
                        "name": {"type": "string"},
                        "key": {"type": "string"},
                    },
                },
            }
        },
    },
    "ScaledObject": {
        "type": "object",
        "required": ["scaleTargetRef", "triggers"],
        "additionalProperties": False,
        "properties": {
            "scaleTargetRef": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {"kind": {"type": "string"}, "name": {"type": "string"}},
            },
            "pollingInterval": {"type": "integer", "minimum": 1},
            "minReplicaCount": {"type": "integer", "minimum": 1},
            "maxReplicaCount": {"type": "integer", "minimum": 1},
            "advanced": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "horizontalPodAutoscalerConfig": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"behavior": {"type": "object"}},
                    }
                },
            },
            "triggers": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["type", "metadata"],
                    "additionalProperties": False,
                    "properties": {
                        "type": {"const": "redis"},
                        "metadata": {
                            "type": "object",
                            "required": ["address", "listName", "listLength"],
                            "additionalProperties": False,
                            # All of them strings: KEDA refuses a number.
                            "properties": {
                                "address": {"type": "string", "pattern": r"^[a-z0-9.-]+:\d+$"},
                                "listName": {"type": "string"},
                                "listLength": {"type": "string", "pattern": r"^\d+$"},
                            },
                        },
                        "authenticationRef": {
                            "type": "object",
                            "required": ["name"],
                            "additionalProperties": False,
                            "properties": {"name": {"type": "string"}},
                        },
                    },
                },
            },
        },
    },
}


@pytest.mark.parametrize("manifest", MANIFESTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_follows_its_schema(manifest: Manifest, version: str):
    if manifest["apiVersion"].startswith("keda.sh/"):
        jsonschema.validate(manifest["spec"], KEDA[manifest["kind"]])
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schemas_refuse_what_is_misspelt():
    manifest = merged(of_kind("Deployment")["api"], {"spec": {"replica": 2}})
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[0], strict=True)
    scaled = of_kind("ScaledObject")["worker"]["spec"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**scaled, "minReplicas": 1}, KEDA["ScaledObject"])


def test_every_file_is_used():
    for folder in (BASE, GPU):
        named = kustomization(folder)
        used = {*named["resources"], *(patch["path"] for patch in named.get("patches", []))}
        files = {path.name for path in folder.iterdir()} - {"kustomization.yaml"}
        assert files == {name for name in used if "/" not in name}


def test_yaml_has_no_anchors_which_not_every_tool_reads():
    for path in (*BASE.iterdir(), *GPU.iterdir()):
        tokens = yaml.scan(path.read_text())
        assert not any(isinstance(token, (yaml.AnchorToken, yaml.AliasToken)) for token in tokens)


def variables() -> Iterator[str]:
    for name in ALL:
        for container in containers(name).values():
            yield from (variable["name"] for variable in container.get("env", []))
    for settings in of_kind("ConfigMap").values():
        yield from settings["data"]


def test_every_variable_is_a_setting():
    settings = {f"GOODMANY_{field.upper()}" for field in Settings.model_fields}
    assert set(variables()) <= settings | FOREIGN
    data = of_kind("ConfigMap")["goodmany"]["data"]
    told = {k.removeprefix("GOODMANY_").lower(): v for k, v in data.items() if k in settings}
    assert Settings.model_validate(told).storage_address.startswith("s3://")


def test_every_command_is_one_of_the_command_lines():
    commands = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
    for name, container in containers().items():
        if name == "redis":
            continue
        program, command, *options = container["args"]
        assert program == "goodmany"
        known = [option for parameter in commands[command].params for option in parameter.opts]
        assert {option for option in options if option.startswith("--")} <= set(known)
        image = "goodmany-api" if name in ("api", "courier") else "goodmany-worker"
        assert container["image"] == image


def test_images_are_those_that_the_kustomization_renames():
    renamed = {image["name"] for image in kustomization(BASE)["images"]}
    used = {container["image"] for name, container in containers().items() if name != "redis"}
    assert used == renamed


def test_nobody_is_root_and_nothing_may_be_written_but_volumes():
    for name in ALL:
        for template in pods(name).values():
            pod = template["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert pod["automountServiceAccountToken"] is False
            for container in pod["containers"]:
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }


def test_every_part_tells_its_health_and_has_its_memory():
    for name in ALL:
        for part, container in containers(name).items():
            assert "readinessProbe" in container, part
            assert container["resources"]["requests"]["cpu"], part
            requested = memory_bytes(container["resources"]["requests"]["memory"])
            limit = memory_bytes(container["resources"]["limits"]["memory"])
            num_decoders = {"api": MAX_DECODING, "worker": 1}.get(part, 0)
            assert limit >= requested + num_decoders * Settings().decoding_memory_bytes


def test_a_stopping_worker_has_time_to_finish_the_longest_job():
    grace = pods()["worker"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > Settings().job_timeout_s


def test_secrets_are_those_that_the_docs_make():
    asked = {
        (reference["name"], reference["key"])
        for container in containers().values()
        for variable in container["env"]
        if (reference := variable.get("valueFrom", {}).get("secretKeyRef"))
    }
    codes = (block.code for block in blocks("docs/operations.md"))
    (made,) = (code for code in codes if "create secret generic" in code)
    assert asked == {("goodmany", key) for _, key in asked if f"--from-literal={key}=" in made}
    (trusted,) = of_kind("TriggerAuthentication").values()
    (target,) = trusted["spec"]["secretTargetRef"]
    assert (target["name"], target["key"]) in asked


def test_scaling_asks_the_workers_queues_at_the_redis_that_there_is():
    (scaled,) = of_kind("ScaledObject").values()
    assert scaled["spec"]["scaleTargetRef"]["name"] in of_kind("Deployment")
    assert "replicas" not in of_kind("Deployment")["worker"]["spec"]
    asked = [trigger["metadata"] for trigger in scaled["spec"]["triggers"]]
    assert [one["listName"] for one in asked] == [f"rq:queue:{queue}" for queue in Priority]
    namespace = kustomization(BASE)["namespace"]
    host, port = asked[0]["address"].split(":")
    assert host == f"redis.{namespace}.svc.cluster.local"
    assert int(port) in [one["port"] for one in of_kind("Service")["redis"]["spec"]["ports"]]


def selected(selector: Manifest) -> set[str]:
    """Whose pods a selector means."""
    found = set()
    for name, template in pods().items():
        labels = template["metadata"]["labels"]
        wanted = selector.get("matchLabels", {}).items() <= labels.items()
        expressions = selector.get("matchExpressions", [])
        if wanted and all(labels[one["key"]] in one["values"] for one in expressions):
            found.add(name)
    return found


def test_selectors_mean_pods_that_there_are():
    for name, manifest in {**of_kind("Deployment"), **of_kind("StatefulSet")}.items():
        assert selected(manifest["spec"]["selector"]) == {name}
    for name, manifest in of_kind("Service").items():
        assert selected({"matchLabels": manifest["spec"]["selector"]}) == {name}
    for name, manifest in of_kind("PodDisruptionBudget").items():
        assert selected(manifest["spec"]["selector"]) == {name}


def test_everything_is_closed_but_what_is_opened():
    policies = of_kind("NetworkPolicy")
    closed = policies.pop("nothing")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ways_in = {
        pod: policy["spec"]["ingress"]
        for policy in policies.values()
        if "Ingress" in policy["spec"]["policyTypes"]
        for pod in selected(policy["spec"]["podSelector"])
    }
    assert set(ways_in) == {"api", "redis"}
    (to_redis,) = ways_in["redis"]
    reached_by = {
        name
        for source in to_redis["from"]
        if "podSelector" in source
        for name in selected(source["podSelector"])
    }
    assert reached_by == set(pods()) - {"redis"}
    ways_out = {
        pod
        for policy in policies.values()
        if "Egress" in policy["spec"]["policyTypes"]
        for pod in selected(policy["spec"]["podSelector"])
    }
    assert ways_out == set(pods()) - {"redis"}
