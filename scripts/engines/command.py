# SPDX-License-Identifier: Apache-2.0
"""The command line of scripts/cluster."""
import argparse
import os
import re
import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from . import tls, watch
from .broker import Broker
from .process import lives
from .registry import Registry
from .ring import Ring
from .settings import ENGINES, Failure, Settings, choose_first, folder_of, known, load, machine_lock, remove, taken, write

MAKERS = {"cassandra": Ring, "kafka": Broker, "registry": Registry}

# field of Settings, option, variable of the environment, type, help
OPTIONS = [
    ("first", "--first", "CASS_FIRST", str, "last byte of the first loopback address; 'auto' takes a stretch on which all ports are free"),
    ("nodes", "--nodes", "CASS_NODES", int, "Cassandra nodes, each on an address of its own"),
    ("cql_port", "--cql-port", "CASS_PORT", int, "CQL port of every node"),
    ("cassandra_heap", "--cassandra-heap", "CASS_HEAP", str, "heap of a Cassandra node, such as 512m or 1g"),
    ("brokers", "--brokers", "KAFKA_BROKERS", int, "Kafka brokers, 1 or 3, on consecutive ports"),
    ("kafka_port", "--kafka-port", "KAFKA_PORT", int, "port of the first broker; SASL_SSL is 100 above it"),
    ("kafka_heap", "--kafka-heap", "KAFKA_HEAP", str, "heap of a broker"),
    ("registry_port", "--registry-port", "REGISTRY_PORT", int, "port of the schema registry"),
]

EXAMPLES = """examples:
  scripts/cluster up                           everything: three nodes, one broker, a registry
  scripts/cluster up cassandra --nodes 1       only a ring, of one node
  scripts/cluster up --name b --first auto     a second cluster beside the first
  scripts/cluster up cassandra --yaml 'native_transport_max_concurrent_requests_in_bytes: 65536'
  scripts/cluster nodetool -n 2 tablestats metric
  scripts/cluster run -- build/weir run ...    with HOSTS, KAFKA and REGISTRY in the environment
  scripts/cluster down --wipe

A cluster keeps its data, logs and pids in build/cluster/NAME (WEIR_CLUSTER_DIR/NAME where that is set); downloads are kept in
${XDG_CACHE_HOME:-~/.cache}/weir/engines. Options of `up` may stand in the environment: CASS_FIRST, CASS_NODES, CASS_HEAP, KAFKA_BROKERS ...
"""


def engines_of(settings, names=()):
    """{name: engine}, in the order in which they are started."""
    return {name: MAKERS[name](settings) for name in ENGINES if not names or name in names}


def is_up(engine):
    return all(process.pid for process in engine.processes())


def is_down(engine):
    return not any(process.pid for process in engine.processes())


def need(name):
    settings = load(name)
    if not settings:
        raise Failure(f"there is no cluster '{name}'; scripts/cluster up makes one (known: {', '.join(known()) or 'none'})")
    return settings


def environment(settings):
    """What programs that use the cluster want to know, of the engines that run."""
    values = {"CLUSTER_NAME": settings.name, "WEIR_CLUSTER_DIR": str(settings.folder.parent)}
    running = [name for name, engine in engines_of(settings).items() if is_up(engine)]
    if "cassandra" in running:
        values.update(HOSTS=",".join(settings.hosts), CQL_PORT=str(settings.cql_port))
    if "kafka" in running:
        values.update(KAFKA=settings.bootstrap)
    if "registry" in running:
        values.update(REGISTRY=settings.registry)
    if settings.secure:
        where = tls.folder(settings)
        values.update(CA=str(where / "ca.pem"), CLIENT_CERT=str(where / "client.pem"), CLIENT_KEY=str(where / "client.key"))
        if "kafka" in running:
            values.update(KAFKA_SASL=settings.bootstrap_sasl, KAFKA_USER=tls.USER, KAFKA_PASSWORD=tls.SECRET)
        if "cassandra" in running:
            values.update(CASS_USER="cassandra", CASS_PASSWORD="cassandra")
    return values


def save_environment(settings):
    write(settings.folder / "env", "".join(f"{key}={shlex.quote(value)}\n" for key, value in environment(settings).items()))


# ---- up

def wished(arguments):
    """The settings that the options and the environment name, and only those."""
    wishes = {}
    for field, _, variable, kind, _ in OPTIONS:
        given = getattr(arguments, field)
        if given is None and os.environ.get(variable):
            try:
                given = kind(os.environ[variable])
            except ValueError:
                raise Failure(f"{variable}={os.environ[variable]} is not a number") from None
        if given is not None:
            wishes[field] = given
    for field in ("secure", "client_auth", "acls", "yaml"):
        if getattr(arguments, field):
            wishes[field] = getattr(arguments, field)
    wishes.setdefault("first", None)
    return wishes


def first_of(text):
    """An address byte, or None for a free stretch."""
    if text != "auto" and not text.isdigit():
        raise Failure(f"--first {text} is neither a number nor 'auto'")
    return None if text == "auto" else int(text)


def check_range(settings):
    for heap in (settings.cassandra_heap, settings.kafka_heap):
        if not re.fullmatch(r"[1-9]\d*[mMgG]", heap):
            raise Failure(f"{heap} is no size of a heap, such as 512m or 1g")
    if settings.brokers not in (1, 3):
        raise Failure("--brokers is 1 or 3")
    if settings.nodes < 1 or settings.first < 1 or settings.first + settings.nodes > 255:
        raise Failure("the nodes do not fit on 127.0.0.1 to 127.0.0.254")


def settle(arguments):
    """The settings to start with: what was kept, changed by what is wished now. What runs is not changed under its feet."""
    kept, wishes = load(arguments.name), wished(arguments)
    settings = kept or Settings(name=arguments.name)
    first = wishes.pop("first") or str(settings.first)
    running = any(not is_down(engine) for engine in engines_of(settings).values())
    changed = [field for field, value in wishes.items() if getattr(settings, field) != value]
    if first_of(first) not in (None, settings.first):
        settings.first, changed = first_of(first), changed + ["first"]
    if running and changed:
        raise Failure(f"'{settings.name}' is up with other settings ({', '.join(changed)}); scripts/cluster down --wipe ends it")
    for field, value in wishes.items():
        setattr(settings, field, value)
    if first == "auto" and not running:
        choose_first(settings)
    check_range(settings)
    return settings


def start(name, engine):
    if is_up(engine):
        return f"{name}: already up"
    if is_down(engine):
        busy = taken(engine.settings, [name])
        if busy:
            raise Failure(f"{name}: others listen on {', '.join(busy)}; --first auto finds free addresses")
    began = time.monotonic()
    engine.up()
    return f"{name}: up after {time.monotonic() - began:.1f} s"


def up(arguments):
    with machine_lock():
        settings = settle(arguments)
        settings.save()
        asked = engines_of(settings, arguments.engines)
        try:
            with ThreadPoolExecutor(len(asked)) as pool:
                for done in as_completed([pool.submit(start, name, engine) for name, engine in asked.items()]):
                    print(done.result(), flush=True)
        finally:
            save_environment(settings)
    print((settings.folder / "env").read_text(), end="")


# ---- the others

def down(arguments):
    if arguments.orphans:
        end_orphans()
    settings = load(arguments.name)
    if not settings:
        print(f"there is no cluster '{arguments.name}'")
        return
    for name, engine in reversed(engines_of(settings, arguments.engines).items()):
        engine.down(arguments.wipe)
        print(f"{name}: down", flush=True)
    if arguments.wipe and all(is_down(engine) for engine in engines_of(settings).values()):
        remove(settings)
    else:
        save_environment(settings)


def end_orphans():
    """Ends and wipes what tests made for themselves and, killed, could not end."""
    for settings in filter(None, map(load, known())):
        if settings.owner and not lives(settings.owner):
            for engine in engines_of(settings).values():
                engine.down(wipe=True)
            remove(settings)
            print(f"{settings.name}: ended, its test is gone")


def status(arguments):
    settings = need(arguments.name)
    print(f"{'process':<14}{'pid':>8}{'rss':>10}  address")
    for name, engine in engines_of(settings, arguments.engines).items():
        for number, process in enumerate(engine.processes(), 1):
            port = {"cassandra": settings.cql_port, "kafka": settings.broker_port(number), "registry": settings.registry_port}[name]
            address = settings.address(number if name == "cassandra" else 1)
            rss = f"{process.rss_mb} MB" if process.pid else "-"
            print(f"{process.name:<14}{process.pid or 'down':>8}{rss:>10}  {address}:{port}")
    ring = engines_of(settings)["cassandra"]
    if "cassandra" in (arguments.engines or ENGINES) and not is_down(ring):
        print(ring.nodetool("status", node=first_alive(ring)).stdout.rstrip())
    return 0 if all(is_up(engine) for engine in engines_of(settings, arguments.engines).values()) else 1


def first_alive(ring):
    return next((node for node, process in ring.nodes.items() if process.pid), 1)


def running_ring(arguments):
    ring = Ring(need(arguments.name))
    if is_down(ring):
        raise Failure(f"no Cassandra node of '{arguments.name}' runs")
    return ring


def tool_words(arguments):
    return [word for at, word in enumerate(arguments.arguments) if at or word != "--"]


def nodetool(arguments):
    ring = running_ring(arguments)
    if arguments.node not in ring.nodes:
        raise Failure(f"there is no node {arguments.node}; the ring has {len(ring.nodes)}")
    command = ring.nodetool_command(*(tool_words(arguments) or ["help"]), node=arguments.node)
    os.execv(command[0], command)


def flush(arguments):
    for node, why in running_ring(arguments).flush(*arguments.keyspace).items():
        raise Failure(f"node {node}: {why.strip()}")
    print("flushed")


def compactions(arguments):
    watch.watch(running_ring(arguments), arguments.node, arguments.keyspace, arguments.every, arguments.times)


def topics(arguments):
    command = Broker(need(arguments.name)).topics_command(*(tool_words(arguments) or ["--list"]))
    os.execv(command[0], command)


def logs(arguments):
    settings = need(arguments.name)
    for engine in engines_of(settings, arguments.engines).values():
        for process in engine.processes():
            print(f"==> {process.log}\n{process.tail(arguments.lines)}")


def env(arguments):
    for key, value in environment(need(arguments.name)).items():
        print(f"{key}={shlex.quote(value)}")


VARIABLE = {"cassandra": "HOSTS", "kafka": "KAFKA", "registry": "REGISTRY"}


def run(arguments):
    values = environment(need(arguments.name))
    for engine in arguments.needs:
        if VARIABLE[engine] not in values:
            raise Failure(f"{engine} of '{arguments.name}' is not up")
    command = arguments.arguments[1:] if arguments.arguments[:1] == ["--"] else arguments.arguments
    if not command:
        raise Failure("run what?")
    os.environ.update(values)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}") from None


# ---- the command line

def guarded(words):
    """What follows 'topics' or 'nodetool' and begins with a dash that is not ours belongs to the tool."""
    for at, word in enumerate(words):
        if word in ("topics", "nodetool"):
            at += 1
            while at < len(words) and words[at] in ("--name", "-n", "--node"):
                at += 2
            return words if words[at:at + 1] in ([], ["-h"], ["--help"]) else [*words[:at], "--", *(words[at + 1:] if words[at] == "--" else words[at:])]
    return words


def parser():
    top = argparse.ArgumentParser(prog="scripts/cluster", description=sys.modules["__main__"].__doc__, epilog=EXAMPLES,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(function, text, engines=False):
        one = verbs.add_parser(function.__name__, help=text, description=text)
        one.set_defaults(function=function)
        one.add_argument("--name", default=os.environ.get("CLUSTER_NAME") or "default", help="which cluster (CLUSTER_NAME); 'default' where none is named")
        if engines:
            one.add_argument("engines", nargs="*", metavar="cassandra|kafka|registry|all", type=engine_name, default=[])
        return one

    add_up(verb(up, "starts engines and waits until they answer", True))
    add_down(verb(down, "ends engines; their data stays", True))
    verb(status, "what runs: pids, memory, addresses, the ring", True)
    verb(logs, "the end of the engines' logs", True).add_argument("--lines", type=int, default=20, metavar="N")
    add_node(verb(nodetool, "Cassandra's nodetool on one node")).add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT")
    verb(flush, "writes what all nodes hold in memory to SSTables").add_argument("keyspace", nargs="*", help="only this keyspace, these tables of it")
    add_compactions(add_node(verb(compactions, "watches compactions: what runs, SSTables per table, what was done")))
    verb(topics, "Kafka's topic tool").add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT")
    verb(env, "the engines' addresses as lines for a shell")
    one = verb(run, "runs a command with the engines' addresses in its environment")
    one.add_argument("--needs", type=lambda text: [engine_name(name) for name in text.split(",")], default=[], metavar="ENGINE,...")
    one.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND")
    return top


def engine_name(text):
    if text not in (*ENGINES, "all"):
        raise argparse.ArgumentTypeError(f"no engine '{text}': {', '.join(ENGINES)}")
    return text


def add_up(one):
    defaults = Settings()
    for field, option, _, kind, text in OPTIONS:
        one.add_argument(option, dest=field, type=kind, metavar=field.rpartition("_")[2].upper(), help=f"{text} ({getattr(defaults, field)})")
    one.add_argument("--secure", action="store_true", help="Cassandra: passwords and client TLS; Kafka: a SASL_SSL listener too")
    one.add_argument("--client-auth", action="store_true", help="with --secure: clients must show a certificate")
    one.add_argument("--acls", action="store_true", help="with --secure: Kafka's users may do nothing but what ACLs allow")
    one.add_argument("--yaml", action="append", metavar="'KEY: VALUE'", help="one more line of cassandra.yaml")


def add_down(one):
    one.add_argument("--wipe", action="store_true", help="removes their data and logs too")
    one.add_argument("--orphans", action="store_true", help="ends and wipes clusters of tests that were killed, too")


def add_node(one):
    one.add_argument("-n", dest="node", type=int, default=1, metavar="NODE", help="which node (1)")
    return one


def add_compactions(one):
    one.add_argument("keyspace", nargs="?", help="only this keyspace")
    one.add_argument("--every", type=float, default=5, metavar="SECONDS")
    one.add_argument("--times", type=int, default=0, metavar="N", help="ends after N looks")


def main(words):
    arguments = parser().parse_args(guarded(words))
    if "all" in (getattr(arguments, "engines", None) or ()):
        arguments.engines = []
    try:
        return arguments.function(arguments) or 0
    except Failure as failure:
        print(f"scripts/cluster: {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
