"""The Python package etcd3, as its documentation uses it.

Cases by name, one after the other: a line of JSON {"case": name, "arguments": {...}} comes in, a line
{"ok": true} or {"ok": false, "error": text} goes out. What one case leaves for a later one is in `kept`.
"""
import io
import json
import queue
import sys
import threading
import time
import traceback

import etcd3
import grpc
from etcd3 import exceptions

kept = {}


def connect(address, **more):
    host, port = address.split(":")
    return etcd3.client(host=host, port=int(port), timeout=60, **more)


def until(what, check):
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline, "waited in vain: " + what
        time.sleep(0.02)


def refused(error, call, text=""):
    try:
        call()
    except error as raised:
        assert text in str(raised), raised
        return raised
    raise AssertionError("nothing was refused")


def keys(client):
    client.put("py/k", "grüße")
    value, metadata = client.get("py/k")
    assert value.decode() == "grüße"
    assert metadata.version == 1 and metadata.key == b"py/k"
    assert client.get("py/nothing") == (None, None)
    raw = bytes([0, 255, 10, 128])
    client.put(b"py/" + raw, raw)
    assert client.get(b"py/" + raw)[0] == raw
    answer = client.put("py/k", "2", prev_kv=True)
    assert answer.prev_kv.value.decode() == "grüße"
    assert client.get("py/k", serializable=True)[0] == b"2"
    assert client.put_if_not_exists("py/k", "3") is False
    assert client.put_if_not_exists("py/new", "3") is True
    assert client.replace("py/k", "2", "4") is True
    assert client.replace("py/k", "2", "5") is False
    assert client.delete("py/k") is True
    assert client.delete("py/k") is False
    assert client.delete("py/new", prev_kv=True, return_response=True).prev_kvs[0].value == b"3"
    client.delete_prefix("py/")


def ranges(client):
    for at, name in enumerate("abcd"):
        client.put("py/r/" + name, str(9 - at))
    client.put("py/r/b", "z")
    names = lambda found: [metadata.key[5:].decode() for _, metadata in found]
    assert names(client.get_prefix("py/r/")) == ["a", "b", "c", "d"]
    assert names(client.get_range("py/r/b", "py/r/d")) == ["b", "c"]
    down = client.get_prefix("py/r/", sort_order="descend", sort_target="mod")
    assert names(down) == ["b", "d", "c", "a"]
    assert [value for value, _ in client.get_prefix("py/r/", keys_only=True)] == [b""] * 4
    assert len(list(client.get_all())) >= 4
    assert client.delete_prefix("py/r/").deleted == 4


def transactions(client):
    step = client.transactions
    done, answers = client.transaction(
        compare=[step.create("py/t") == 0],
        success=[step.put("py/t", "1"), step.get("py/t")],
        failure=[step.get("py/t")],
    )
    assert done and answers[1][0][0] == b"1"
    done, answers = client.transaction(
        compare=[step.value("py/t") == "1", step.version("py/t") < 2, step.mod("py/t") > 0],
        success=[
            step.txn(compare=[step.value("py/t") == "2"], success=[], failure=[step.delete("py/t")]),
        ],
        failure=[],
    )
    assert done and not answers[0].response_txn.succeeded
    assert client.get("py/t")[0] is None
    # Of a range that holds nothing.
    assert client.transaction(
        compare=[step.create("py/t/", "py/t0") == 0], success=[], failure=[]
    )[0]


def watching(client):
    start = client.put("py/w/0", "past").header.revision
    events, cancel = client.watch_prefix("py/w/", start_revision=start, prev_kv=True)
    client.put("py/w/1", "a")
    client.put("py/w/1", "b")
    client.delete("py/w/1")
    heard = [next(events) for _ in range(4)]
    kinds = [(type(event).__name__, event.value, event.prev_value) for event in heard]
    assert kinds == [
        ("PutEvent", b"past", b""),
        ("PutEvent", b"a", b""),
        ("PutEvent", b"b", b"a"),
        ("DeleteEvent", b"", b"b"),
    ], kinds
    cancel()
    assert list(events) == []
    calls = queue.Queue()
    number = client.add_watch_callback("py/w/2", calls.put)
    client.put("py/w/2", "x")
    assert calls.get(timeout=60).events[0].value == b"x"
    client.cancel_watch(number)
    told = threading.Event()

    def put_until_told():
        while not told.wait(0.05):
            client.put("py/w/3", "once")

    # Nothing says when it has begun to watch.
    putting = threading.Thread(target=put_until_told)
    putting.start()
    try:
        assert client.watch_once("py/w/3", timeout=60).value == b"once"
    finally:
        told.set()
        putting.join()
    refused(exceptions.WatchTimedOut, lambda: client.watch_once("py/w/4", timeout=0.1))


def leases(client):
    lease = client.lease(60)
    client.put("py/l", "x", lease=lease)
    assert list(lease.keys) == [b"py/l"]
    assert lease.refresh()[0].TTL == 60
    assert lease.granted_ttl == 60 and 0 <= lease.remaining_ttl <= 60
    short = client.lease(1)
    assert short.ttl > 1
    client.put("py/l", "y", lease=short)
    until("the lease ends", lambda: client.get("py/l")[0] is None)
    assert short.remaining_ttl == -1
    assert short.refresh()[0].TTL == 0
    other = client.lease(100, lease_id=777)
    assert other.id == 777
    refused(exceptions.PreconditionFailedError, lambda: client.lease(100, lease_id=777))
    client.put("py/l2", "x", lease=other)
    other.revoke()
    assert client.get("py/l2")[0] is None
    missing = refused(grpc.RpcError, lambda: client.put("py/l3", "x", lease=other))
    assert missing.code() == grpc.StatusCode.NOT_FOUND
    assert missing.details() == "etcdserver: requested lease not found"
    lease.revoke()


def locks(client):
    with client.lock("py", ttl=30) as lock:
        assert lock.is_acquired()
        assert lock.refresh()[0].TTL == 30
        # Waiting for it does not work with the tenacity that Debian has, whatever the server is.
        refused(TypeError, lambda: client.lock("py").acquire(timeout=0.1))
        other = client.lock("py")
        assert not other.is_acquired() and not other.release()
    assert not lock.is_acquired()
    assert other.acquire() and other.is_acquired() and other.release()


def errors(client):
    empty = refused(grpc.RpcError, lambda: client.put("", "x"))
    assert empty.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert empty.details() == "etcdserver: key is not provided"
    future = refused(grpc.RpcError, lambda: client.compact(10**12))
    assert future.details() == "etcdserver: mvcc: required revision is a future revision"
    nobody = etcd3.client(host="127.0.0.1", port=1, timeout=5)
    refused(exceptions.ConnectionFailedError, lambda: nobody.get("k"))


def maintenance(client):
    status = client.status()
    assert status.version.startswith("3.") and status.leader is not None
    members = list(client.members)
    assert status.leader.id in [member.id for member in members]
    assert len(members) == 3
    assert list(client.list_alarms()) == []
    client.defragment()
    assert client.hash() > 0
    file = io.BytesIO()
    client.snapshot(file)
    assert len(file.getvalue()) % 512 == 32


def alone(client):
    """What is history for everybody: a compaction, and an alarm that refuses all writes."""
    old = client.put("py/c", "1").header.revision
    new = client.put("py/c", "2").header.revision
    client.compact(new, physical=True)
    compacted = refused(
        exceptions.RevisionCompactedError,
        lambda: next(client.watch("py/c", start_revision=old)[0]),
    )
    assert compacted.compacted_revision == new
    client.create_alarm()
    assert [alarm.alarm_type for alarm in client.list_alarms()] != []
    full = refused(grpc.RpcError, lambda: client.put("py/c", "3"))
    assert full.details() == "etcdserver: mvcc: database space exceeded"
    client.disarm_alarm()
    until("writes are taken again", lambda: client.put("py/c", "3") is not None)


def outlives(client):
    kept["client"] = client
    kept["events"], _ = client.watch("py/o")
    kept["revision"] = client.put("py/o", "1").header.revision
    assert next(kept["events"]).value == b"1"


def outlived(client):
    # It does not come back by itself: whoever watches hears of it, and goes on where it was.
    refused(exceptions.ConnectionFailedError, lambda: next(kept["events"]))
    refused(exceptions.ConnectionFailedError, lambda: kept["client"].get("py/o"))

    def written():
        try:
            return client.put("py/o", "2") is not None
        except (grpc.RpcError, exceptions.Etcd3Exception):
            return False

    until("it is written elsewhere", written)
    events, cancel = client.watch("py/o", start_revision=kept["revision"] + 1)
    assert next(events).value == b"2"
    cancel()


def auth(address, authority, certificate, key, password):
    def login(name, word):
        files = {"ca_cert": authority, "cert_cert": certificate, "cert_key": key}
        return connect(address, user=name, password=word, **files)

    wrong = refused(grpc.RpcError, lambda: login("al", "wrong"))
    assert wrong.details() == "etcdserver: authentication failed, invalid user ID or password"
    al = login("al", password)
    al.put("al/py", "x")
    assert al.get("al/py")[0] == b"x"
    denied = refused(grpc.RpcError, lambda: al.put("py", "x"))
    assert denied.code() == grpc.StatusCode.PERMISSION_DENIED
    events, cancel = al.watch("al/py")
    al.put("al/py", "y")
    assert next(events).value == b"y"
    cancel()
    assert al.lease(60).granted_ttl == 60
    al.close()


def tls(address, authority, certificate, key):
    own = connect(address, ca_cert=authority, cert_cert=certificate, cert_key=key)
    own.put("py/tls", "x")
    events, cancel = own.watch("py/tls")
    own.put("py/tls", "y")
    assert next(events).value == b"y"
    cancel()
    for stranger in (connect(address, ca_cert=authority), connect(address)):
        refused(exceptions.ConnectionFailedError, lambda: stranger.get("py/tls"))


CASES = {
    function.__name__: function
    for function in (
        keys, ranges, transactions, watching, leases, locks, errors, maintenance, alone,
        outlives, outlived,
    )
}
CONNECTING = {"auth": auth, "tls": tls}


def run(name, arguments):
    if name in CONNECTING:
        CONNECTING[name](**arguments)
    else:
        CASES[name](connect(**arguments))


for line in sys.stdin:
    asked = json.loads(line)
    try:
        run(asked["case"], asked["arguments"])
        answer = {"ok": True}
    except BaseException:
        answer = {"ok": False, "error": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
