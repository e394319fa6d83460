#!/usr/bin/env python3
"""The agent against acsrs, an ACS that others wrote: docs/interop.md says what this shows and how to run it.

    tests/interop/acsrs.py [--keep]

Needs Python 3.9 or newer and openssl. acsrs is looked for in the directory ACSRS_BIN, then in PATH, then in target/interop, and is
installed from crates.io into target/interop where it is in none of them. CWMPD names another agent than the one that is built here.
The exit status is 0 only if every step did what it should.
"""

import contextlib
import difflib
import http.client
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
ACSRS_VERSION = "0.5.2"
# Seconds for what happens over the network; a busy machine needs them, an idle one does not notice.
PATIENCE = 60
# States of a connection in /proc/net/tcp.
ESTABLISHED, CLOSE_WAIT = "01", "08"

SSID = "Device.WiFi.SSID.1.SSID"
# A name that must survive XML, UCI and JSON.
NEW_SSID = "Böhm & Söhne <5 GHz> \"it's\""
MAPPINGS = "Device.NAT.PortMapping."
MAPPING = {
    "Description": ("xsd:string", "Web server"),
    "Protocol": ("xsd:string", "TCP"),
    "ExternalPort": ("xsd:unsignedInt", "8443"),
    "InternalPort": ("xsd:unsignedInt", "443"),
    "InternalClient": ("xsd:string", "192.168.1.20"),
    "Enable": ("xsd:boolean", "true"),
}


class Failed(Exception):
    """A step did something else than it should."""


def title(text):
    print(f"\n== {text}", flush=True)


def check(what, holds, seen=""):
    """One step: prints what was seen, and ends everything where it is not as it should be."""
    print(f"  {'ok    ' if holds else 'FAILED'} {what}{f': {seen}' if seen != '' else ''}", flush=True)
    if not holds:
        raise Failed(what)


def wait_for(what, probe):
    """The first true answer of `probe`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.1)
    raise Failed(f"{what}: not within {PATIENCE} s")


def run(*command, **options):
    """The output of a program that must succeed."""
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# What is tested


def find_acsrs():
    if "ACSRS_BIN" in os.environ:
        return Path(os.environ["ACSRS_BIN"]) / "acsrs"
    if found := shutil.which("acsrs"):
        return Path(found)
    installed = TARGET / "interop/bin/acsrs"
    if not installed.exists():
        print("acsrs is not there: installing it from crates.io (some minutes; needs libssl-dev and pkg-config)", flush=True)
        install = ["cargo", "install", "acsrs", "--version", ACSRS_VERSION, "--locked", "--root", str(TARGET / "interop")]
        if subprocess.run(install, cwd=PROJECT, check=False).returncode != 0:
            raise Failed("acsrs cannot be installed")
    return installed


def find_agent():
    run("cargo", "build", "--quiet", "--bin", "cwmpd", cwd=PROJECT)
    return Path(os.environ.get("CWMPD", TARGET / "debug/cwmpd"))


# The ACS


def make_certificates(directory):
    """An authority and a certificate of it for 127.0.0.1. acsrs' own ones name the host in the CN alone, which rustls, as browsers,
    does not read."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    ca, ca_key = directory / "ca.pem", directory / "ca-key.pem"
    run("openssl", "req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-subj", "/CN=Test authority")
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    request, cert, key = directory / "cert.csr", directory / "cert.pem", directory / "key.pem"
    run("openssl", "req", "-new", *curve, "-keyout", key, "-out", request, "-subj", "/CN=127.0.0.1")
    run("openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "30",
        "-extfile", extensions, "-out", cert)
    run("openssl", "pkcs12", "-export", "-inkey", key, "-in", cert, "-out", directory / "identity.p12", "-passout", "pass:ACSRS")
    return ca


class Acs:
    """acsrs in a home of its own."""

    def __init__(self, program, home):
        # Its option --config ends it with a panic (0.5.2); what it reads lies beneath HOME.
        self.directory = home / ".acsrs"
        self.directory.mkdir(parents=True)
        self.ca = make_certificates(self.directory)
        self.username, self.password = "router", secrets.token_hex(12)
        self.http_port, self.https_port, self.management_port = free_port(), free_port(), free_port()
        (self.directory / "config.toml").write_text(
            f"""cpe = []

[config]
hostname = "127.0.0.1"
username = "{self.username}"
password = "{self.password}"
autocert = false
identity_password = "ACSRS"
secure_address = "127.0.0.1:{self.https_port}"
unsecure_address = "127.0.0.1:{self.http_port}"
management_address = "127.0.0.1:{self.management_port}"
""")
        self.log_file = home / "acsrs.log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen([program, "--verbose"], env={**os.environ, "HOME": str(home)}, cwd=home, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        wait_for("acsrs listens", lambda: self.listening() or self.ended())

    def listening(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.management_port), 1):
            return True
        return False

    def ended(self):
        if self.process.poll() is not None:
            raise Failed(f"acsrs ended with status {self.process.returncode}")

    def log(self):
        return self.log_file.read_text(errors="replace")

    def url(self, scheme):
        return f"{scheme}://127.0.0.1:{self.https_port if scheme == 'https' else self.http_port}/cwmpWeb/CPEMgt"

    def in_session(self):
        """Whether anyone is connected to a port for devices, or acsrs has not noticed yet that they have gone."""
        ports = {self.http_port, self.https_port}
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return any(int(row[1].split(":")[1], 16) in ports and row[3] in (ESTABLISHED, CLOSE_WAIT) for row in rows)

    def devices(self):
        with Operator(self) as operator:
            return {cpe["sn"]: cpe for cpe in operator.command("List")["List"]}


class Operator:
    """Someone at acsrs' management API (which acscli uses too). acsrs holds the session with a device open while its operator stays
    connected, and sends a connection request for the first command when there is no session."""

    def __init__(self, acs, serial=""):
        self.connection = http.client.HTTPConnection("127.0.0.1", acs.management_port, timeout=PATIENCE)
        self.serial = serial

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def command(self, command):
        self.connection.request("POST", "/api", json.dumps({"serial_number": self.serial, "command": command}))
        return json.loads(self.connection.getresponse().read())

    def answer(self, method, arguments):
        """What the method returns; the fault of the device, or acsrs' reason, ends the test."""
        response = self.command({method: arguments})
        if method not in response:
            raise Failed(f"{method} {arguments}: {response}")
        return response[method]

    def names(self, path, next_level=False):
        return {entry["name"]: entry["writable"] for entry in self.answer("GetParameterNames", {"name": path, "next_level": next_level})}

    def values(self, *paths):
        answer = self.answer("GetParameterValues", [{"name": path} for path in paths])
        return {entry["name"]: (entry["type"], entry["value"]) for entry in answer}

    def set_values(self, values):
        """Sets them all and returns the Status that the device answered with; a type of "" is asked for first."""
        applied = self.answer("SetParameterValues", [{"name": name, "type": kind, "value": value} for name, (kind, value) in values.items()])
        return f"Status {0 if applied else 1}"

    def fault(self, method, arguments):
        """The fault of a call that must be refused."""
        response = self.command({method: arguments})
        return response.get("Error", {}).get("description", f"no fault: {response}")


# The router


class Agent:
    """cwmpd on a sample router."""

    def __init__(self, program, acs, directory):
        self.program = program
        self.root = Path(run("cargo", "run", "--quiet", "--example", "router", cwd=PROJECT, env={**os.environ, "TMPDIR": str(directory)}).strip())
        # What a router would have as its trusted authorities.
        shutil.copy(acs.ca, self.root / "etc/acs-ca.pem")
        (self.root / "etc/config/cwmpd").write_text(
            f"""config acs 'acs'
	option url '{acs.url('http')}'
	option username '{acs.username}'
	option password '{acs.password}'
	option ca_file '/etc/acs-ca.pem'

config cpe 'cpe'
	option listen_address '127.0.0.1'
	option listen_port '{free_port()}'
	option log_level 'debug'
""")
        self.log_file = directory / "cwmpd.log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen([program, "--root", self.root, "--stderr", "run"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def config(self, package):
        return (self.root / "etc/config" / package).read_text()

    def calls(self):
        """The programs that the agent ran, with their arguments."""
        log = self.root / "calls.log"
        return log.read_text().splitlines() if log.exists() else []

    def ended_session(self):
        """How the last session went, as `cwmpd status` says; nothing while it runs."""
        last = json.loads(run(self.program, "--root", self.root, "--json", "status"))["last_session"]
        return last if last["ended"] else None


def end(process):
    """SIGTERM, and what it ended with."""
    process.terminate()
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


# The steps


def events_since(acs, log_from):
    return re.findall(r"Event: (.+)", acs.log()[log_from:])


def session_over(acs):
    """Waits until there is no session: acsrs ends one about 3 s after the last command."""
    wait_for("the session ends", lambda: not acs.in_session())


def register(acs, agent):
    title("Registration")
    serial, device = next(iter(wait_for("acsrs knows the router", acs.devices).items()))
    session_over(acs)
    check("acsrs has registered the router", serial != "", serial)
    events = events_since(acs, 0)
    check("with the events of a first contact", "0 BOOTSTRAP" in events and "1 BOOT" in events, ", ".join(events))
    check("with the connection request URL", device["url"].startswith("http://127.0.0.1:"), device["url"])
    check("and has given it credentials for connection requests",
          "SPV Response = 0" in acs.log() and f"option username '{device['username']}'" in agent.config("cwmpd"), device["username"])
    return serial


def connection_request(operator, acs, ssid):
    """A first command while there is no session, so that acsrs must reach the router."""
    title("Connection request")
    mark = len(acs.log())
    started = time.monotonic()
    value = operator.values(SSID)[SSID][1]
    waited = time.monotonic() - started
    log = acs.log()[mark:]
    check("acsrs sent one, and it was accepted", "Send ConnectionRequest to" in log and "ConnectionRequest was acknowledged" in log)
    check("the session was begun for it", "6 CONNECTION REQUEST" in events_since(acs, mark), ", ".join(events_since(acs, mark)))
    check("and the command was answered in it", value == ssid, f"{waited:.2f} s after it was given")


def read_tree(operator):
    title("The whole tree")
    names = operator.names("Device.")
    values = operator.values("Device.")
    leaves = {name for name in names if not name.endswith(".")}
    check("GetParameterNames of Device.", len(names) > 300, f"{len(names)} names, {len(leaves)} of them parameters")
    check("GetParameterValues of Device.", len(values) > 300, f"{len(values)} values")
    check("both tell of the same parameters", leaves == set(values), sorted(leaves ^ set(values))[:5] or "yes")
    kinds = sorted({kind for kind, _ in values.values()})
    check("every value has a type of XML Schema", all(kind.startswith("xsd:") for kind in kinds), " ".join(kinds))
    children = operator.names("Device.", next_level=True)
    check("one level below Device.", all(name.count(".") == 2 or not name.endswith(".") for name in children), len(children))
    for name in ("Device.DeviceInfo.SoftwareVersion", "Device.RootDataModelVersion", SSID):
        print(f"         {name} = {values[name][1]}")


def change_values(operator, agent):
    title("Values")
    check("SetParameterValues of a Wi-Fi name", True, operator.set_values({SSID: ("xsd:string", NEW_SSID)}))
    value = operator.values(SSID)[SSID]
    check("it is read back as it was set", value == ("xsd:string", NEW_SSID), value[1])
    written = next((line.strip() for line in agent.config("wireless").splitlines() if "ssid" in line and "Böhm" in line), "")
    check("and is in /etc/config/wireless", written != "", written)
    operator.set_values({SSID: ("", "Interop")})
    check("acsrs may ask for the type first", "option ssid 'Interop'" in agent.config("wireless"), "option ssid 'Interop'")

    before = agent.config("wireless")
    fault = operator.fault("SetParameterValues", [
        {"name": SSID, "type": "xsd:string", "value": "Half of it"},
        {"name": "Device.WiFi.Radio.1.Channel", "type": "xsd:unsignedInt", "value": "9999"},
    ])
    check("one wrong value of two refuses both", "9003" in fault and agent.config("wireless") == before, fault)
    fault = operator.fault("SetParameterValues", [{"name": "Device.DeviceInfo.UpTime", "type": "xsd:unsignedInt", "value": "1"}])
    check("a parameter that cannot be written is refused", "9003" in fault, fault)
    fault = operator.fault("GetParameterValues", [{"name": "Device.Nothing.Here"}])
    check("a name that does not exist is refused", "9005" in fault, fault)


def port_mapping(operator, agent):
    title("An object")
    before = agent.config("firewall")
    added = operator.answer("AddObject", {"object_name": MAPPINGS})
    instance = f"{MAPPINGS}{added['instance_number']}."
    check(f"AddObject {MAPPINGS}", added["instance_number"] > 0, instance)
    outside = "Device.NAT.InterfaceSetting.1.Interface"
    mapping = {instance + name: value for name, value in {**MAPPING, "Interface": operator.values(outside)[outside]}.items()}
    check("SetParameterValues of it", True, operator.set_values(mapping))
    values = operator.values(instance)
    wrong = {name: values.get(name) for name, value in mapping.items() if values.get(name) != value}
    check("every value is read back as it was set", not wrong, wrong or f"{len(mapping)} values")
    check("it is in force", values[instance + "Status"][1] == "Enabled", values[instance + "Status"][1])
    changes = difflib.ndiff(before.splitlines(), agent.config("firewall").splitlines())
    lines = [change[2:].strip() for change in changes if change.startswith(("+ ", "- ")) and change[2:].strip()]
    check("it is in /etc/config/firewall", "option src_dport '8443'" in lines, "; ".join(lines))
    check(f"DeleteObject {instance}", True,
          f"Status {int(operator.answer('DeleteObject', {'object_name': instance})['status'])}")
    check("it is gone from the tree", not any(name.startswith(instance) for name in operator.names(MAPPINGS)))
    check("and from /etc/config/firewall, which is as it was", agent.config("firewall") == before)
    fault = operator.fault("DeleteObject", {"object_name": instance})
    check("deleting it again is refused", "9005" in fault, fault)


def move_to_https(operator, acs, agent):
    title("https")
    mark = len(acs.log())
    url = acs.url("https")
    operator.set_values({"Device.ManagementServer.URL": ("xsd:string", url)})
    check("acsrs moves the router to https", url in agent.config("cwmpd"), url)
    operator.connection.close()
    wait_for("the router registers again", lambda: "0 BOOTSTRAP" in events_since(acs, mark))
    session_over(acs)
    check("a new ACS is a first contact again", True, ", ".join(events_since(acs, mark)))
    last = wait_for("the agent's session ends", agent.ended_session)
    check("the certificate of acsrs was verified, and the session ended well", last["complete"], last["reason"])


def refuse_stranger(acs, agent):
    title("An authority that the router does not know")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=Stranger",
        "-keyout", os.devnull, "-out", agent.root / "etc/acs-ca.pem")
    mark = len(acs.log())
    done = subprocess.run([agent.program, "--root", agent.root, "inform"], text=True, capture_output=True, check=False)
    check("there is no session", done.returncode == 1 and not events_since(acs, mark), done.stderr.strip())


def steps(directory, started):
    acsrs, program = find_acsrs(), find_agent()
    print(f"{run(program, '--version').strip()} against {run(acsrs, '--version').strip()}")
    acs = Acs(acsrs, directory / "acs")
    started.append(acs)
    agent = Agent(program, acs, directory)
    started.append(agent)
    serial = register(acs, agent)
    with Operator(acs, serial) as operator:
        connection_request(operator, acs, "OpenWrt")
        read_tree(operator)
        change_values(operator, agent)
        port_mapping(operator, agent)
    session_over(acs)
    title("After the session")
    wait_for("the changes are applied", lambda: "/sbin/reload_config" in agent.calls())
    check("the changes of the whole session are applied once", agent.calls().count("/sbin/reload_config") == 1, "/sbin/reload_config")
    with Operator(acs, serial) as operator:
        connection_request(operator, acs, "Interop")
        move_to_https(operator, acs, agent)
    with Operator(acs, serial) as operator:
        connection_request(operator, acs, "Interop")
        read_tree(operator)
    session_over(acs)
    refuse_stranger(acs, agent)
    title("The end")
    started.remove(agent)
    check("SIGTERM ends the agent", end(agent.process) == 0)


def main():
    if set(sys.argv[1:]) - {"--keep"}:
        print(__doc__, file=sys.stderr)
        return 2
    directory = Path(tempfile.mkdtemp(prefix="cwmpd-interop-"))
    started = []
    failure = None
    try:
        steps(directory, started)
    except (Failed, OSError, KeyError, ValueError, http.client.HTTPException) as error:
        failure = f"{type(error).__name__}: {error}"
    finally:
        for program in reversed(started):
            end(program.process)
    if failure:
        print(f"\n{failure}\nThe logs and the router are in {directory}", file=sys.stderr)
        return 1
    print("\nEverything did what it should.")
    if "--keep" in sys.argv[1:]:
        print(f"The logs and the router are in {directory}")
    else:
        shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
