"""Every side: what it is installed from, its project, its commands, and where its tables are."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import harness
from benchmarks.builders.queries import Shape
from benchmarks.data import WORK

ENVIRONMENTS = WORK / "builders"
QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true",
}
Commands = tuple[list[str], ...]


@dataclass(frozen=True)
class Side:
    """`write(folder, shape)`: the project; `edit(folder, name, query)`: one model's new text. `build`, `nothing` and
    `changed`: the commands of a first build, of one where nothing changed, and of one after an edit; `between(folder)`
    is called after each of them, unmeasured. `relation`: what a table is called in its database file."""

    name: str
    packages: tuple[str, ...]
    write: Callable[[Path, Shape], None]
    edit: Callable[[Path, str, str], None]
    build: Callable[[Path], list[str]]
    nothing: Callable[[Path], list[str]]
    changed: Callable[[Path], list[str]]
    database: str
    relation: Callable[[str], str]
    between: Callable[[Path], None] = lambda folder: None

    @property
    def bin(self) -> Path:
        """The programs of its own environment; of this one where it needs none."""
        return ENVIRONMENTS / self.name / "bin" if self.packages else Path(sys.executable).parent


def _files(folder: Path, files: Mapping[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


# Plain DuckDB


def _write_plain(folder: Path, shape: Shape) -> None:
    names = {name: f'"{name}"' for name in shape.queries}
    queries = {name: query.format_map(names) for name, query in shape.queries.items()}
    _files(folder, {"queries.json": json.dumps(queries), "edited.json": "{}"})


def _edit_plain(folder: Path, name: str, query: str) -> None:
    known = json.loads((folder / "queries.json").read_text(encoding="utf-8"))
    (folder / "edited.json").write_text(json.dumps({name: query.format_map({one: f'"{one}"' for one in known})}))


def _plain(queries: str) -> Callable[[Path], list[str]]:
    program = str(Path(__file__).parent / "plain.py")
    return lambda folder: harness.python(program, str(folder / "bench.duckdb"), str(folder / queries))


# Headgate and dbt read the same files


def _text(query: str, shape: Shape) -> str:
    refs = {name: "{{ ref('" + name + "') }}" for name in shape.queries}
    return "{{ config(materialized='table') }}\n" + query.format_map(refs) + "\n"


def _models(shape: Shape) -> dict[str, str]:
    return {f"models/{name}.sql": _text(query, shape) for name, query in shape.queries.items()}


def _edit_file(folder: Path, name: str, query: str) -> None:
    known = [path.stem for path in (folder / "models").glob("*.sql")]
    text = _text(query, Shape(dict.fromkeys(known, ""), ("", ""), ""))
    (folder / "models" / f"{name}.sql").write_text(text, encoding="utf-8")


def _write_headgate(folder: Path, shape: Shape) -> None:
    _files(folder, {"headgate.yml": "project: bench\nwarehouse: duckdb:bench.duckdb\n", **_models(shape)})


def _headgate(folder: Path) -> list[str]:
    return harness.headgate("run", "--json", "--project", str(folder))


DBT_PROFILE = "bench:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: '{path}', threads: 2}}\n"
DBT_PROJECT = "name: bench\nversion: '1.0'\nprofile: bench\nmodel-paths: [models]\n"


def _write_dbt(folder: Path, shape: Shape) -> None:
    profile = DBT_PROFILE.format(path=folder / "bench.duckdb")
    _files(folder, {"dbt_project.yml": DBT_PROJECT, "profiles.yml": profile, **_models(shape)})


def _dbt(*more: str) -> Callable[[Path], list[str]]:
    def command(folder: Path) -> list[str]:
        program = str(SIDES["dbt"].bin / "dbt")
        state = [str(folder / "before") if one == "STATE" else one for one in more]
        return [program, "--quiet", "build", *state, "--project-dir", str(folder), "--profiles-dir", str(folder)]

    return command


def _keep_manifest(folder: Path) -> None:
    (folder / "before").mkdir(exist_ok=True)
    shutil.copy(folder / "target" / "manifest.json", folder / "before" / "manifest.json")


# SQLMesh

MESH = """gateways:
  local:
    connection: {{type: duckdb, database: '{path}', concurrent_tasks: 1}}
default_gateway: local
model_defaults: {{dialect: duckdb, start: 2026-01-01}}
disable_anonymized_analytics: true
"""


def _mesh_text(name: str, query: str, known: Mapping[str, str]) -> str:
    return f"MODEL (name s.{name}, kind FULL);\n{query.format_map(known)}\n"


def _write_mesh(folder: Path, shape: Shape) -> None:
    known = {name: f"s.{name}" for name in shape.queries}
    models = {f"models/{name}.sql": _mesh_text(name, query, known) for name, query in shape.queries.items()}
    _files(folder, {"config.yaml": MESH.format(path=folder / "bench.duckdb"), **models})


def _edit_mesh(folder: Path, name: str, query: str) -> None:
    known = {path.stem: f"s.{path.stem}" for path in (folder / "models").glob("*.sql")}
    (folder / "models" / f"{name}.sql").write_text(_mesh_text(name, query, known), encoding="utf-8")


def _mesh(*more: str) -> Callable[[Path], list[str]]:
    return lambda folder: [
        str(SIDES["sqlmesh"].bin / "sqlmesh"),
        "--paths",
        str(folder),
        "--log-file-dir",
        str(folder / "logs"),
        *more,
    ]


MODIFIED = ("--select", "state:modified+", "--state", "STATE")
PLAN = ("plan", "--auto-apply", "--no-prompts")
SIDES = {
    one.name: one
    for one in (
        Side(
            "plain", (), _write_plain, _edit_plain,
            _plain("queries.json"), _plain("edited.json"), _plain("edited.json"),
            "bench.duckdb", lambda name: f'"{name}"',
        ),
        Side(
            "headgate", (), _write_headgate, _edit_file, _headgate, _headgate, _headgate,
            "bench.duckdb", lambda name: f'"{name}"',
        ),
        Side(
            "dbt", ("dbt-core==1.11.*", "dbt-duckdb==1.11.*", "duckdb>=1.5,<2"), _write_dbt, _edit_file,
            _dbt(), _dbt(*MODIFIED), _dbt(*MODIFIED), "bench.duckdb", lambda name: f'"{name}"', _keep_manifest,
        ),
        Side(
            "sqlmesh", ("sqlmesh==0.236.*", "duckdb>=1.5,<2"), _write_mesh, _edit_mesh,
            _mesh(*PLAN), _mesh(*PLAN), _mesh(*PLAN), "bench.duckdb", lambda name: f"s.{name}",
        ),
    )
}  # fmt: skip
