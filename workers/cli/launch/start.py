"""Starting one machine's casebridge: claim the home, check everything, open the servers, migrate, run the processes.

The order is the point: what can be wrong is found before anything is started, and everything that was started is
stopped in the opposite order, whatever ends us.
"""

import contextlib
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.configuration import load
from pipeline.connectors import discover
from pipeline.environment import Environment, read
from pipeline.errors import ConfigurationError, Problem
from pipeline.service import configuration, ledger
from pipeline.service.check import read_file
from workers.bootstrap import World
from workers.cli.attach import SANDBOX, against_stand_ins
from workers.cli.launch import fleet, ports, sandbox_ledger
from workers.demo.people import ROOTS
from workers.embedded import open_services
from workers.instance import Instance, Say, claim
from workers.process import wait_until
from workers.supervisor import Supervisor

LOOPBACK = "http://127.0.0.1"
NO_REDIS = "redis://not-needed.invalid"  # keeps the embedded Redis from being started without a broker
READY_SECONDS = 60.0
# Celery warns of root in eight lines a worker; whoever runs a container as root has chosen so.
QUIET = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}
SANDBOX_SECONDS = 20.0


@dataclass(frozen=True)
class Wish:
    """What was asked for: stand-ins, a port of the web process, no Celery."""

    sandbox: bool = False
    port: int | None = None
    broker: bool = True


@dataclass(frozen=True)
class Places:
    """Ports chosen for this run."""

    web: int
    flower: int | None
    sandbox: Mapping[str, int]

    @property
    def addresses(self) -> dict[str, str]:
        """Name -> address, as instance.json and `status` show them."""
        found = {"web": f"{LOOPBACK}:{self.web}"}
        if self.flower:
            found["flower"] = f"{LOOPBACK}:{self.flower}"
        return found | {f"{SANDBOX}{name}": url for name, url in self.systems.items()}

    @property
    def systems(self) -> dict[str, str]:
        """System -> address of its stand-in."""
        return {name: f"{LOOPBACK}:{port}{ROOTS.get(name, '')}" for name, port in self.sandbox.items()}


Then = Callable[[Places, Callable[[], None]], None]  # what to do when ready; its second argument ends everything


def up(home: Path, env: Mapping[str, str], wish: Wish, say: Say, then: Then | None = None) -> None:
    """Run until SIGTERM, Ctrl-C or `casebridge down`; `then` is called once when everything is ready.

    Raises ConfigurationError with all faults before anything is started, InstanceError for a home that is taken,
    ServicesError and RefusedError with what to do.
    """
    usual = Places(ports.WEB, ports.FLOWER, ports.SANDBOX if wish.sandbox else {})
    check(complete(env, home, usual, wish))
    with claim(home, say) as instance:
        places = choose_ports(env, wish)
        env = complete(env, home, places, wish)
        given = env if wish.broker else {**env, "REDIS_URL": NO_REDIS}
        with contextlib.ExitStack() as stack:
            if wish.sandbox:
                stack.enter_context(running_sandbox(instance, places, env, say))
            services = stack.enter_context(open_services(home, given, say))
            own = wish.sandbox and "postgresql" in services.embedded
            url = sandbox_ledger.begin(services.database_url) if own else services.database_url
            env = {**env, "DATABASE_URL": url, "REDIS_URL": services.redis_url if wish.broker else ""}
            prepare(read(env, discover()), say)
            with recorded(instance, places):
                run(instance, places, env, wish, say, then)


def choose_ports(env: Mapping[str, str], wish: Wish) -> Places:
    """Ports that are free now. Raises RefusedError for a wanted one that is taken."""
    given = env.get("PORT", "")
    web = ports.wanted_or_free(wish.port or (int(given) if given.isdigit() else None), ports.WEB)
    sandbox = ports.of_sandbox() if wish.sandbox else {}
    flower = ports.wanted_or_free(None, ports.FLOWER, taken={web, *sandbox.values()}) if wish.broker else None
    return Places(web, flower, sandbox)


def complete(env: Mapping[str, str], home: Path, places: Places, wish: Wish) -> dict[str, str]:
    """The environment of all processes."""
    known = {name: value for name, value in env.items() if value}
    whole = QUIET | (against_stand_ins(known, places.systems) if wish.sandbox else known)
    whole |= {"CASEBRIDGE_HOME": str(home), "PORT": str(places.web)}
    if places.flower:
        whole["CASEBRIDGE_FLOWER_URL"] = places.addresses["flower"]
    return whole


def check(env: Mapping[str, str]) -> None:
    """Environment and configuration file. Raises ConfigurationError with all faults of both."""
    problems: list[Problem] = []
    path = Path(env.get("CASEBRIDGE_CONFIG") or "casebridge.yaml")
    for look in (lambda: read(env, discover()), lambda: load(read_file(path), discover(), file=str(path))):
        try:
            look()
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)


def prepare(environment: Environment, say: Say) -> None:
    """Migrations, rows that everything expects, and the configuration file as the active version."""
    assert environment.database_url is not None
    for name in ledger.run(environment.database_url).applied:
        say(f"applied migration {name}")
    world = World(environment, broker=False, pool_size=2)
    try:
        world.first_start()
        text = read_file(environment.config)
        with world.connection() as conn:
            version, changed = configuration.apply(
                conn, text, file=str(environment.config), connectors=discover(), actor="casebridge up"
            )
    finally:
        world.close()
    if changed:
        say(f"{environment.config} is configuration version {version}")


@contextlib.contextmanager
def running_sandbox(instance: Instance, places: Places, env: Mapping[str, str], say: Say) -> Iterator[None]:
    """The stand-ins, up before anybody calls them and until everybody has ended."""
    child = fleet.sandbox(places.sandbox, places.addresses["web"], env)
    supervisor = Supervisor([child], say=say, record=instance.record_process)
    try:
        supervisor.start()
        wait_until(lambda: all(map(answers, places.systems.values())), SANDBOX_SECONDS)
        supervisor.watch()
        yield
    finally:
        supervisor.stop()


@contextlib.contextmanager
def recorded(instance: Instance, places: Places) -> Iterator[None]:
    """The addresses in instance.json for as long as they lead somewhere."""
    with instance.edit() as record:
        record.addresses = places.addresses
        record.ports = {"web": places.web, **({"flower": places.flower} if places.flower else {}), **places.sandbox}
    try:
        yield
    finally:
        with instance.edit() as record:
            record.addresses, record.ports = {}, {}


def run(
    instance: Instance, places: Places, env: Mapping[str, str], wish: Wish, say: Say, then: Then | None = None
) -> None:
    """The processes, watched and restarted until we are told to stop."""
    if wish.broker:
        assert places.flower is not None
        children = fleet.with_broker(env, instance.home, web=places.web, flower=places.flower, targets=discover())
    else:
        children = fleet.without_broker(env, web=places.web)
    for name, address in places.addresses.items():
        say(f"{name:<22} {address}")
    supervisor = Supervisor(children, say=say, record=instance.record_process)
    threading.Thread(target=announce, args=(places, say, then, supervisor), name="announce", daemon=True).start()
    supervisor.run()


def announce(places: Places, say: Say, then: Then | None, supervisor: Supervisor) -> None:
    """Say once that everything is ready, then go on with what was asked for."""
    web = places.addresses["web"]
    ready = wait_until(lambda: is_ready(f"{web}/readyz"), READY_SECONDS)
    if not ready:
        say(f"not ready after {READY_SECONDS:.0f} s: see {web}/readyz and `casebridge status`")
    if then is not None:
        then(places, supervisor.end)
    elif ready:
        say(f"ready: {web}    stop with Ctrl-C or `casebridge down`")


def is_ready(url: str) -> bool:
    """Whether the web process says so."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- an address that we made
            return int(answer.status) == 200
    except OSError:
        return False


def answers(url: str) -> bool:
    """Whether a server of ours answers there; any status below 500 counts."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 -- an address that we made
            return int(answer.status) < 500
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
