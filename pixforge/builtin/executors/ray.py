"""Runs on a cluster of Ray: an existing one, or one that is started on this machine."""

from __future__ import annotations

import io
import logging
import socket
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Config, Executor, Job, Outcome
from pixforge.contracts.files import publish
from pixforge.errors import InputError, plain_name

log = logging.getLogger(__name__)

_CHECKPOINT = "checkpoint.safetensors"
_WAIT, _PATIENCE, _ANSWER = 0.5, 60.0, 10.0
_MOST_BYTES = 2**33
_HEAD = 0.001
"""Processors that the post box takes, so that it runs where the driver is."""


class RayConfig(Config):
    """Which cluster, and what a run needs of it."""

    type: Literal["ray"] = "ray"
    address: str | None = Field(
        None,
        description="Of a cluster, such as ray://host:10001 or host:6379; one is started on this machine without it.",
    )
    cpus: Annotated[float, Field(gt=0, le=1024)] = Field(1.0, description="Processor cores of a run.")
    gpus: Annotated[float, Field(ge=0, le=64)] = Field(
        0.0, description="GPUs of a run; 0.5 lets two share one."
    )
    retries: Annotated[int, Field(ge=0, le=100, strict=True)] = Field(
        2, description="How often a run whose node dies goes on elsewhere from its last checkpoint."
    )
    every: Annotated[float, Field(gt=0, le=3600)] = Field(
        10.0, description="Seconds between two looks for a new checkpoint, which is sent back."
    )


@dataclass
class _Going:
    job: Job
    tries: int = 0


@dataclass
class _State:
    """What is known here of the work elsewhere."""

    waiting: list[_Going]
    going: dict[Any, _Going] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


class RayExecutor(Executor[RayConfig]):
    """Runs on a cluster of [Ray](https://docs.ray.io), each a task; a run whose node dies goes on elsewhere.

    Needs `pip install pixforge[ray]` here and on every node, with the same version of pixforge. Files that the recipes name,
    plugin files among them, are sent along and compared by their hash; each checkpoint and all results are sent back.
    """

    remote: ClassVar[bool] = True

    @property
    def at_once(self) -> int:
        """What a small cluster does; its size is not known before it is asked."""
        return 8

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Hand in all jobs, and take in what they send back."""
        if not jobs:
            return
        ray = _ray()
        with _connected(ray, self.config):
            box = ray.remote(_Box).options(num_cpus=0, **_here(ray)).remote()
            task = ray.remote(_do).options(
                num_cpus=self.config.cpus, num_gpus=self.config.gpus, max_retries=0
            )
            files: dict[str, Any] = {}
            state = _State([_Going(job) for job in jobs])
            try:
                while state.waiting or state.going:
                    self._hand_in(ray, task, box, state, files)
                    done, _ = ray.wait(list(state.going), timeout=_WAIT)
                    _take_in(ray, box, state)
                    for ref in done:
                        outcome = self._ended(ray, ref, state)
                        if outcome is not None:
                            yield outcome
                            if outcome.status == "interrupted":
                                return
            finally:
                _end(ray, box, state)

    def _hand_in(self, ray: Any, task: Any, box: Any, state: _State, files: dict[str, Any]) -> None:
        """As many as the cluster can begin and a few more, so that what is sent along is up to date."""
        room = 2 + int(ray.cluster_resources().get("CPU", 0) / self.config.cpus)
        while state.waiting and len(state.going) < room:
            going = state.waiting.pop(0)
            for path in going.job.files:
                if str(path) not in files:
                    files[str(path)] = ray.put(path.read_bytes())
            home = going.job.folder.parents[1]
            sent = {path.relative_to(home).as_posix(): files[str(path)] for path in going.job.files}
            parcel = _Parcel(
                going.job, going.job.folder.relative_to(home).as_posix(), _packed(going.job.folder)
            )
            ref = task.remote(parcel, list(sent), box, self.config.every, _version(), *sent.values())
            state.going[ref] = going

    def _ended(self, ray: Any, ref: Any, state: _State) -> Outcome | None:
        """How a task ended; None where it is tried again."""
        going = state.going.pop(ref)
        try:
            outcome: Outcome = ray.get(ref)
        except Exception as error:  # noqa: BLE001 - Ray has a dozen errors for what is dead or cannot begin
            if going.tries < self.config.retries and _is_death(error):
                going.tries += 1
                log.warning("%s: its node or process died; it goes on elsewhere", going.job.name)
                state.waiting.insert(0, going)
                return None
            text = str(error).strip().splitlines() or [type(error).__name__]
            return Outcome(going.job.name, "failed", f"{type(error).__name__}: {text[-1]}")
        if outcome.status == "interrupted" and going.tries < self.config.retries:
            going.tries += 1  # nobody interrupted it here: its node is taken away, and told so
            state.waiting.insert(0, going)
            return None
        return outcome


@dataclass(frozen=True)
class _Parcel:
    """A job on its way: where its folder is below the sweep's, and what is in it."""

    job: Job
    place: str
    content: bytes


class _Box:
    """An actor beside the driver that keeps what runs send until it is fetched; it outlives their nodes."""

    def __init__(self) -> None:
        self._found: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        """The newest state of a run's folder takes the place of an older one."""
        self._found[name] = content

    def take(self) -> dict[str, bytes]:
        """All that has come since the last time."""
        found, self._found = self._found, {}
        return found


def _do(
    parcel: _Parcel, places: list[str], box: Any, every: float, version: str, *contents: bytes
) -> Outcome:
    """On the node: make the run in a folder of its own, and send back each checkpoint and the end."""
    name = parcel.job.name
    if _version() != version:
        return Outcome(
            name,
            "failed",
            f"node {socket.gethostname()} has pixforge {_version()}, and the sweep is of {version}",
        )
    with tempfile.TemporaryDirectory() as text:
        home = Path(text).resolve()
        for place, content in zip(places, contents, strict=True):
            (home / place).parent.mkdir(parents=True, exist_ok=True)
            (home / place).write_bytes(content)
        folder = home / parcel.place
        folder.mkdir(parents=True)
        _unpack(parcel.content, folder)
        over = threading.Event()
        sender = threading.Thread(target=_send, args=(name, folder, box, every, over), daemon=True)
        sender.start()
        outcome = parcel.job.work(folder)
        over.set()
        sender.join()
        _ray().get(box.put.remote(name, _packed(folder)))
    if outcome.error is not None:
        return Outcome(
            name, outcome.status, f"{outcome.error} (on node {socket.gethostname()})", outcome.seconds
        )
    return outcome


def _send(name: str, folder: Path, box: Any, every: float, over: threading.Event) -> None:
    """Send the folder whenever there is a new checkpoint."""
    before = 0
    while not over.wait(every):
        with suppress(OSError):
            now = (folder / _CHECKPOINT).stat().st_mtime_ns
            if now != before:
                before = now
                box.put.remote(name, _packed(folder))


def _packed(folder: Path) -> bytes:
    """The files of a run's folder as a tar; those that are being written are left out."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                with suppress(OSError):
                    data = path.read_bytes()
                    info = tarfile.TarInfo(path.name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


def _unpack(content: bytes, folder: Path) -> None:
    """Write the files of a tar into a folder, each whole or not at all; the checkpoint last, since others belong to it.

    Raises:
        InputError: there is something in it that no run sends.
    """
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = sorted(tar.getmembers(), key=lambda each: each.name == _CHECKPOINT)
        if any(
            not each.isreg() or Path(each.name).name != each.name or each.size > _MOST_BYTES
            for each in members
        ):
            raise InputError(f"{plain_name(folder)}: what came back is no run's folder")
        for member in members:
            file = tar.extractfile(member)
            if file is not None:
                part = folder / f".{member.name}.part"
                part.write_bytes(file.read())
                publish(part, folder / member.name)


def _take_in(ray: Any, box: Any, state: _State) -> None:
    folders = {going.job.name: going.job.folder for going in (*state.going.values(), *state.waiting)}
    for name, content in ray.get(box.take.remote()).items():
        if name in folders:
            folders[name].mkdir(parents=True, exist_ok=True)
            _unpack(content, folders[name])


def _end(ray: Any, box: Any, state: _State) -> None:
    """Let the runs in progress save, and take in what they send."""
    with suppress(Exception):  # the cluster may be gone
        for ref in state.going:
            ray.cancel(ref, force=False)
        deadline = time.monotonic() + _PATIENCE
        left = list(state.going)
        while left and time.monotonic() < deadline:
            _, left = ray.wait(left, num_returns=len(left), timeout=_WAIT)
        _take_in(ray, box, state)


@contextmanager
def _connected(ray: Any, config: RayConfig) -> Iterator[None]:
    """A connection to the cluster; one of before is used, and stays.

    Raises:
        InputError: there is no cluster at the address.
    """
    if ray.is_initialized():
        yield
        return
    try:
        _see_that_it_answers(config.address)
        ray.init(
            address=config.address, log_to_driver=False, logging_level="error", include_dashboard=False
        ) if (config.address is None) else ray.init(
            address=config.address, log_to_driver=False, logging_level="error"
        )
    except Exception as error:  # noqa: BLE001 - Ray and gRPC raise anything
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        where = config.address or "this machine"
        raise InputError(
            f"executor ray: no cluster answers at {where} ({first}); `ray start --head` starts one, "
            "and without an address one is started here"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _see_that_it_answers(address: str | None) -> None:
    """Ray itself waits for minutes where nobody answers.

    Raises:
        OSError: nobody does.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER):
            pass


def _here(ray: Any) -> dict[str, Any]:
    """Options that keep an actor on the driver's node, which is the one that must not die; none through a client."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    if ray.util.client.ray.is_connected():
        return {}
    node = ray.get_runtime_context().get_node_id()
    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node_id=node, soft=True)}


def _is_death(error: Exception) -> bool:
    from ray import exceptions

    return isinstance(
        error,
        exceptions.WorkerCrashedError
        | exceptions.NodeDiedError
        | exceptions.ObjectLostError
        | exceptions.OutOfMemoryError
        | exceptions.LocalRayletDiedError,
    )


def _version() -> str:
    from pixforge import __version__

    return __version__


def _ray() -> Any:
    """The library.

    Raises:
        InputError: it is not installed.
    """
    try:
        import ray
    except ImportError:
        raise InputError("executor ray: Ray is not installed; pip install 'pixforge[ray]'") from None
    return ray
