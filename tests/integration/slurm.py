"""A Slurm of one node for the tests, from Debian's packages, with its own munge."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.waiting import free_port, wait_for


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return what the environment needs for a Slurm of one node, started here and stopped afterwards."""
    programs = {name: shutil.which(name, path="/usr/sbin:/usr/bin:/sbin") for name in ("slurmctld", "slurmd", "munged")}
    if None in programs.values():
        pytest.skip("Slurm and munge are not installed")
    if os.geteuid() != 0:
        pytest.skip("Slurm's daemons are started by root")
    home = Path("/run") / f"lode-slurm-{os.getpid()}"  # short: munge's socket has a name of 107 characters at most
    home.mkdir(mode=0o755)
    key = home / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (home / name).mkdir()
    (home / "slurm.conf").write_text(
        f"ClusterName=tiny\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={free_port()}\nSlurmdPort={free_port()}\n"
        f"AuthType=auth/munge\nAuthInfo=socket={home}/munge.socket\nCryptoType=crypto/munge\nSlurmUser=root\n"
        f"StateSaveLocation={home}/state\nSlurmdSpoolDir={home}/spool\nSlurmctldPidFile={home}/ctld.pid\n"
        f"SlurmdPidFile={home}/slurmd.pid\nSlurmctldLogFile={home}/ctld.log\nSlurmdLogFile={home}/slurmd.log\n"
        "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n"
        "SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nReturnToService=2\nMailProg=/bin/true\n"
        "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\nSchedulerParameters=batch_sched_delay=0,sched_interval=2\n"
        f"NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory=8000 State=UNKNOWN\n"
        f"PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP\n"
    )
    environment = {"SLURM_CONF": str(home / "slurm.conf")}
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        log = (home / f"{Path(words[0]).name}.out").open("wb")
        started.append(subprocess.Popen(words, env={**os.environ, **environment}, stdout=log, stderr=log))

    try:
        start(str(programs["munged"]), "-F", "--force", f"--key-file={key}", f"--socket={home}/munge.socket",
              f"--pid-file={home}/munge.pid", f"--log-file={home}/munge.log", f"--seed-file={home}/seed")  # fmt: skip
        wait_for(lambda: (home / "munge.socket").exists(), "munged does not listen")
        start(str(programs["slurmctld"]), "-D")
        start(str(programs["slurmd"]), "-D", "-N", host)

        def idle() -> bool:
            words = ["sinfo", "--noheader", "--format=%T"]
            ended = subprocess.run(
                words, env={**os.environ, **environment}, capture_output=True, text=True, check=False
            )
            return ended.stdout.strip() == "idle"

        wait_for(idle, "the node of Slurm is not idle")
        yield environment
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(timeout=30)
        shutil.rmtree(home)
