#!/usr/bin/python3
"""facts_judge: what `windows inspect --json` says, against hivex on the same hives.

usage: facts_judge.py FACTS.json CONFIG PHASE [REPLAY]

CONFIG holds SYSTEM, SOFTWARE, SECURITY, SAM, DEFAULT and their .LOG1/.LOG2 as another reader took them
from the disk. PHASE is the setup phase the maker of the tree meant. REPLAY recovers dirty hives that have
logs (regfreplay.py); without it, or without logs, a hive is read as it lies. Prints how many facts were
compared; the first difference ends it. Nothing here is taken from the product: values are read by hivex,
the accounts by struct and, where it is installed, by chntpw's sampasswd.
"""
import datetime
import json
import os
import struct
import subprocess
import sys
import tempfile

import hivex

FACTS, CONFIG, PHASE = sys.argv[1:4]
REPLAY = sys.argv[4] if len(sys.argv) > 4 else None
facts = json.load(open(FACTS))
checked = 0
tmp = tempfile.TemporaryDirectory()


def same(where, want):
    global checked
    got = facts
    for key in where.split("."):
        got = got[key]
    if got != want:
        sys.exit(f"{where}: {got!r}, other readers say {want!r}")
    checked += 1


# --- hives ---

def is_dirty(data):
    x = 0
    for (v,) in struct.iter_unpack("<I", data[:508]):
        x ^= v
    x = 1 if x == 0 else 0xFFFFFFFE if x == 0xFFFFFFFF else x
    return data[4:8] != data[8:12] or struct.unpack_from("<I", data, 508)[0] != x


class Hive:
    def __init__(self, name):
        self.path = os.path.join(CONFIG, name)
        self.present = os.path.exists(self.path)
        self.dirty = self.recovered = False
        self.h = None
        if not self.present:
            return
        self.dirty = is_dirty(open(self.path, "rb").read(4096))
        logs = [self.path + s for s in (".LOG1", ".LOG2")]
        if self.dirty and REPLAY and any(os.path.exists(l) and os.path.getsize(l) for l in logs):
            out = os.path.join(tmp.name, name)
            args = [l if os.path.exists(l) and os.path.getsize(l) else "-" for l in logs]
            subprocess.run([sys.executable, REPLAY, self.path, *args, out, "--finalize"], check=True,
                           stdout=subprocess.DEVNULL)
            self.path, self.recovered = out, True
        self.h = hivex.Hivex(self.path)

    def key(self, path):
        node = self.h.root() if self.h else None
        for part in path.split("\\") if path else []:
            node = self.h.node_get_child(node, part) if node else None
        return node

    def raw(self, path, name):
        node = self.key(path)
        for v in self.h.node_values(node) if node else []:
            if self.h.value_key(v).lower() == name.lower():
                return self.h.value_value(v)
        return None

    def text(self, path, name):
        v = self.raw(path, name)
        return v[1].decode("utf-16-le", "replace").split("\0")[0] if v and v[0] in (1, 2) else ""

    def number(self, path, name):
        v = self.raw(path, name)
        return struct.unpack("<I", v[1])[0] if v and v[0] == 4 and len(v[1]) == 4 else None

    def data(self, path, name):
        v = self.raw(path, name)
        return v[1] if v else None


def seconds(filetime):
    return filetime // 10_000_000 - 11_644_473_600


def utc(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if t else ""


system, software, security, sam, default = (Hive(n) for n in ("SYSTEM", "SOFTWARE", "SECURITY", "SAM", "DEFAULT"))
for name, h in (("system", system), ("software", software), ("security", security), ("sam", sam), ("default", default)):
    same(f"hives.{name}.present", h.present)
    same(f"hives.{name}.dirty", h.dirty)
    same(f"hives.{name}.readable", h.present and (not h.dirty or h.recovered))
    same(f"hives.{name}.recoverable", h.dirty and h.recovered)

# --- SYSTEM ---
current = system.number("Select", "Current")
ccs = f"ControlSet{current:03d}\\"
same("identity.control_set", current)
same("identity.control_set_default", system.number("Select", "Default"))
same("identity.computer_name", system.text(ccs + "Control\\ComputerName\\ComputerName", "ComputerName"))
tcpip = ccs + "Services\\Tcpip\\Parameters"
running, nxt = system.text(tcpip, "Hostname"), system.text(tcpip, "NV Hostname")
same("identity.host_name", nxt or running)
same("identity.rename_pending", bool(nxt and running) and nxt.lower() != running.lower())
for key, name in (("system_setup_in_progress", "SystemSetupInProgress"), ("oobe_in_progress", "OOBEInProgress"),
                  ("setup_type", "SetupType"), ("setup_phase", "SetupPhase")):
    same("setup." + key, system.number("Setup", name) or 0)
same("setup.cmdline", system.text("Setup", "CmdLine"))
same("setup.unattend_file", system.text("Setup", "UnattendFile"))
same("setup.generalization_state", system.number("Setup\\Status\\SysprepStatus", "GeneralizationState") or 0)
same("setup.audit", bool(system.number("Setup\\Status", "AuditBoot")))
same("setup.phase", PHASE)
same("release.architecture", system.text(ccs + "Control\\Session Manager\\Environment", "PROCESSOR_ARCHITECTURE").lower())
kind = system.text(ccs + "Control\\ProductOptions", "ProductType")
same("release.domain_controller", kind == "LanmanNT")
same("release.server", kind in ("LanmanNT", "ServerNT"))
zone = ccs + "Control\\TimeZoneInformation"
same("clock.time_zone", system.text(zone, "TimeZoneKeyName"))
bias = system.number(zone, "ActiveTimeBias")
bias = system.number(zone, "Bias") if bias is None else bias
same("clock.utc_bias", struct.unpack("<i", struct.pack("<I", bias or 0))[0])
same("clock.rtc_is_utc", bool(system.number(zone, "RealTimeIsUniversal")))
down = system.data(ccs + "Control\\Windows", "ShutdownTime")
down = seconds(struct.unpack("<Q", down)[0]) if down else 0
same("clock.last_shutdown", utc(down))
same("volume.fast_startup_enabled", bool(system.number(ccs + "Control\\Session Manager\\Power", "HiberbootEnabled")))

# --- SOFTWARE ---
cv = "Microsoft\\Windows NT\\CurrentVersion"
build = software.text(cv, "CurrentBuild")
product = software.text(cv, "ProductName")
if build and int(build) >= 22000 and kind == "WinNT":
    product = product.replace("Windows 10", "Windows 11", 1)
same("release.product", product)
same("release.edition", software.text(cv, "EditionID"))
same("release.installation_type", software.text(cv, "InstallationType"))
same("release.version", software.text(cv, "DisplayVersion") or software.text(cv, "ReleaseId") or software.text(cv, "CurrentVersion"))
same("release.build", int(build or 0))
same("release.ubr", software.number(cv, "UBR") or 0)
same("release.installed", utc(software.number(cv, "InstallDate") or 0))
same("setup.image_state", software.text("Microsoft\\Windows\\CurrentVersion\\Setup\\State", "ImageState"))


def policy(blob, wanted):
    at, end = 20, 20 + struct.unpack_from("<I", blob, 4)[0]
    while at + 16 <= end:
        total, nlen, kind, dlen = struct.unpack_from("<4H", blob, at)
        if blob[at + 16:at + 16 + nlen].decode("utf-16-le") == wanted and kind == 4:
            return struct.unpack_from("<I", blob, at + 16 + nlen)[0]
        at += total
    return None


blob = system.data(ccs + "Control\\ProductOptions", "ProductPolicy")
allowed = policy(blob, "WorkstationService-DomainJoinEnabled") if blob else None
if allowed is not None:
    same("release.may_join", "yes" if allowed else "no")
    same("release.may_join_source", "ProductPolicy")

# --- membership ---
offline = ccs + "Control\\Lsa\\OfflineJoin"
pending = system.number(offline, "JoinAction") is not None or bool(system.text(offline, "DNSDIDomName"))
left = any(system.key(ccs + k) for k in ("Control\\Lsa\\OfflineJoin", "Control\\Lsa\\OfflineProvisioning",
                                         "Services\\Netlogon\\JoinDomain"))


def lsa(key):
    v = security.data("Policy\\" + key, "")
    if not v:
        return ""
    n, _, at = struct.unpack_from("<HHI", v)
    return v[at:at + n].decode("utf-16-le")


if pending:
    join, domain = "pending", system.text(offline, "DNSDIDomName")
    netbios, workgroup = system.text(offline, "DNSDIName"), ""
elif security.key("Policy\\PolPrDmN"):
    member = len(security.data("Policy\\PolPrDmS", "") or b"") >= 24
    join = "joined" if member else "none"
    netbios, workgroup = (lsa("PolPrDmN"), "") if member else ("", lsa("PolPrDmN"))
    domain = (lsa("PolDnDDN") or netbios) if member else ""
else:
    start, dns = system.number(ccs + "Services\\Netlogon", "Start"), system.text(tcpip, "NV Domain")
    cached = bool(system.key(ccs + "Control\\Lsa\\CachedMachineNames"))
    netbios = workgroup = ""
    if dns and (start == 2 or cached):
        join, domain = "joined", dns
    elif not dns and start not in (None, 2) and not cached:
        join, domain = "none", ""
    else:
        join, domain = "unknown", ""
same("identity.join", join)
same("identity.domain", domain)
same("identity.netbios_domain", netbios)
same("identity.workgroup", workgroup)
same("identity.pending_domain", system.text(offline, "DNSDIDomName"))
same("identity.pending_name", system.text(offline, "MachineName"))
same("identity.leftover", left)
node = system.key(offline)
written = seconds(system.h.node_timestamp(node)) if node else 0
same("offline_join.written", utc(written))
marked = bool(system.number("Setup\\DJOIN", "ODJComputerNameSet"))
same("offline_join.name_set", marked)
if pending:
    same("offline_join.state", "ignored" if down and down > written else "waiting")
elif not (left or marked):
    same("offline_join.state", "none")
else:
    same("offline_join.state", "completed" if join == "joined" else "failed")

node = system.key(ccs + "Control\\CloudDomainJoin\\JoinInfo")
devices = [system.h.node_name(c) for c in system.h.node_children(node)] if node else []
same("entra.joined", bool(devices))
tenant = system.text(ccs + "Control\\CloudDomainJoin\\JoinInfo\\" + devices[0], "TenantId") if devices else ""
same("entra.tenant", tenant)
same("entra.tenant_name", system.text(ccs + "Control\\CloudDomainJoin\\TenantInfo\\" + tenant, "DisplayName") if tenant else "")

# --- people ---
layout = default.text("Keyboard Layout\\Preload", "1") if default.present else ""
same("keyboard.layout", layout)
same("keyboard.name", system.text(ccs + "Control\\Keyboard Layouts\\" + layout, "Layout Text") if layout else "")

ACCOUNT = "SAM\\Domains\\Account"
users = sam.key(ACCOUNT + "\\Users") if sam.present else None
same("accounts.known", bool(users))
if users:
    machine = sam.data(ACCOUNT, "V")[-24:]
    c = sam.data("SAM\\Domains\\Builtin\\Aliases\\00000220", "C")
    at, length, count = struct.unpack_from("<III", c, 40)
    members, left = [], c[52 + at:52 + at + length]
    while left:
        n = 8 + 4 * left[1]
        members.append(left[:n])
        left = left[n:]
    assert len(members) == count
    rids = {struct.unpack("<I", m[-4:])[0] for m in members if m[:1] == b"\1" and m[8:-4] == machine[8:]}
    want = []
    for node in sam.h.node_children(users):
        rid_name = sam.h.node_name(node)
        if rid_name == "Names":
            continue
        path = ACCOUNT + "\\Users\\" + rid_name
        f, v = sam.data(path, "F"), sam.data(path, "V")
        name_at, name_len = struct.unpack_from("<II", v, 12)
        hash_len = struct.unpack_from("<I", v, 172)[0]
        flags = struct.unpack_from("<H", f, 56)[0]
        logon, password_set = struct.unpack_from("<Q", f, 8)[0], struct.unpack_from("<Q", f, 24)[0]
        rid = int(rid_name, 16)
        want.append({
            "name": v[204 + name_at:204 + name_at + name_len].decode("utf-16-le"), "rid": rid,
            "enabled": not flags & 1, "locked": bool(flags & 0x400), "administrator": rid in rids,
            "microsoft_account": sam.raw(path, "InternetUserName") is not None,
            "password": {20: "set", 56: "set", 4: "blank", 24: "blank", 0: "blank"}.get(hash_len, "unknown"),
            "password_set": utc(seconds(password_set)) if password_set else "",
            "password_expires": not flags & 0x200, "last_logon": utc(seconds(logon)) if logon else ""})
    for one in want:
        got = next((a for a in facts["accounts"]["list"] if a["rid"] == one["rid"]), None)
        if got != one:
            sys.exit(f"account {one['rid']}: {got!r}, other readers say {one!r}")
        checked += len(one)
    same("accounts.total", len(want))
    admins = [a for a in want if a["administrator"] and a["enabled"]]
    same("accounts.administrators", len(admins))
    same("accounts.only_administrator", admins[0]["name"] if len(admins) == 1 else "")
    same("accounts.foreign_administrators", len([m for m in members if m[8:-4] != machine[8:]]))
    same("accounts.unreadable", 0)
    # a third reader, of somebody else's making
    out = subprocess.run(["sampasswd", "-l", sam.path], check=True, capture_output=True).stdout.decode("latin-1")
    for line in out.strip().splitlines():
        rid, name, admin, flags, hash_len = line.split(":")
        one = next(a for a in facts["accounts"]["list"] if a["rid"] == int(rid, 16))
        third = {"enabled": not int(flags, 16) & 1, "administrator": admin == "1",
                 "password": "set" if int(hash_len, 16) in (20, 56) else "blank"}
        if name.isascii() and "?" not in name:
            third["name"] = name
        for k, v in third.items():
            if one[k] != v:
                sys.exit(f"account {rid}, {k}: {one[k]!r}, sampasswd says {v!r}")
            checked += 1
print(checked)
