"""Spouts and bolts in Python, by Storm's multilang protocol.

    import tormenta

    class Split(tormenta.BasicBolt):
        def process(self, tup):
            for word in tup.values[0].split():
                tormenta.emit([word])

    Split().run()

The names are those of Storm's own module, so that a component written for it runs unchanged;
`import storm` gives this module too, unless the component brings its own.

What is different: many messages are read and written at a time, everything that was written leaves
before the component waits and every 20 ms while it works; `emit` asks for task ids only where it is
told to; `print` goes to the log and breaks nothing; when the input has ended, `finish` is called.
"""

import json
import os
import sys
import traceback
from collections import deque
from time import monotonic

FLUSH_SECONDS = 0.02
FLUSH_MESSAGES = 512
READ_BYTES = 1 << 18

_END = b"\nend\n"


# What is written. One string for each message, joined when they leave.

_out = []
_sink = None
_flushed_at = 0.0


def _open_sink():
    """Keeps standard output for messages, and lets `print` write to the log instead."""
    global _sink
    if _sink is None:
        _sink = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr


def flush():
    """Sends what was written. Only needed by threads of your own."""
    global _flushed_at
    _flushed_at = monotonic()
    if not _out:
        return
    count = len(_out)
    data = memoryview("".join(_out[:count]).encode())
    del _out[:count]
    while data:
        data = data[os.write(_sink, data):]


def _flush_if_due():
    if len(_out) >= FLUSH_MESSAGES or monotonic() - _flushed_at >= FLUSH_SECONDS:
        flush()


def _default(value):
    if isinstance(value, (bytes, bytearray)):
        return value.decode()
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError("%s cannot be sent: it has no form in JSON" % type(value).__name__)


def _encoder():
    """json's encoder in C, made once; `json.dumps` makes one for each call."""
    try:
        from json.encoder import c_make_encoder, encode_basestring_ascii as text

        encode = c_make_encoder(None, _default, text, None, ":", ",", False, False, False)
        if "".join(encode([1, "a", {"b": None}], 0)) == '[1,"a",{"b":null}]':
            return lambda value: "".join(encode(value, 0))
    except Exception:
        pass
    return json.JSONEncoder(default=_default, separators=(",", ":"), allow_nan=False).encode


_encode_any = _encoder()


def _encode(value):
    text = _encode_any(value)
    # Half a character would be refused by the one who reads it, and with it this whole process.
    if "\\ud" in text:
        whole = json.dumps(value, default=_default, ensure_ascii=False)
        try:
            whole.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            why = "a text with half a character cannot be sent: UTF-8 has none"
            raise ValueError(why) from None
    return text


def _plain(text):
    """A text for people, in which half a character is only shown."""
    return text.encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else text


def sendMsgToParent(msg):
    _out.append(_encode(msg) + "\nend\n")


# What is read. Messages come in batches; lists are the task ids that an emit has asked for.

_read = deque()
_task_ids = deque()
_rest = []
_tail = b""
_has_ended = False


def _read_batch():
    """Waits for messages, after sending what was written. False when there will be none."""
    global _tail, _has_ended
    flush()
    while True:
        data = os.read(0, READ_BYTES)
        if not data:
            _has_ended = True
            return False
        # The end of a message may have been cut in two.
        near = _tail + data
        _tail = near[-4:]
        _rest.append(data)
        if _END not in near:
            continue
        data = b"".join(_rest)
        cut = data.rfind(_END)
        _rest[:] = [data[cut + len(_END):]]
        # Inside JSON there is no bare line end, so this separates messages and nothing else.
        body = data[:cut].replace(_END, b",")
        for msg in json.loads("[" + body.decode() + "]"):
            (_task_ids if type(msg) is list else _read).append(msg)
        return True


def readMsg():
    """The next message that is no list of task ids."""
    while not _read:
        if not _read_batch():
            raise EOFError("the input has ended")
    return _read.popleft()


readCommand = readMsg


def readTaskIds():
    while not _task_ids:
        if not _read_batch():
            raise EOFError("the input has ended")
    return _task_ids.popleft()


def readTuple():
    cmd = readMsg()
    return Tuple(cmd["id"], cmd["comp"], cmd["stream"], cmd["task"], cmd["tuple"])


# What a component may say.

MODE = None
ANCHOR_TUPLE = None


def emit(*args, **kwargs):
    """In a bolt `emit(values, stream, anchors)`, in a spout `emit(values, stream, id)`.

    With `need_task_ids=True` it waits until the tuple is on its way, and returns the ids of the
    tasks that get it: a round trip for each tuple. Whose they are says `context["task->component"]`.
    In `finish` nobody can answer any more: the list is empty.
    """
    if MODE is Spout:
        return emitSpout(*args, **kwargs)
    return emitBolt(*args, **kwargs)


def emitDirect(task, *args, **kwargs):
    """Emits to the task of this id alone, which must read the stream by `direct`."""
    kwargs["directTask"] = task
    emit(*args, **kwargs)


def emitBolt(tup, stream=None, anchors=(), directTask=None, need_task_ids=False):
    if ANCHOR_TUPLE is not None:
        ids = '"%s"' % ANCHOR_TUPLE.id
    else:
        ids = ",".join(['"%s"' % anchor.id for anchor in anchors])
    return _emit('"anchors":[' + ids + "]", tup, stream, directTask, need_task_ids)


def emitSpout(tup, stream=None, id=None, directTask=None, need_task_ids=False):
    return _emit('"id":' + _encode(id) if id is not None else "", tup, stream, directTask,
                 need_task_ids)


def _emit(whose, tup, stream, task, need_task_ids):
    need_task_ids = need_task_ids and not _has_ended
    if stream is not None:
        whose += (',' if whose else '') + '"stream":' + _encode(stream)
    if task is not None:
        whose += (',' if whose else '') + '"task":%d' % task
    if whose:
        whose += ","
    asks = "true" if need_task_ids else "false"
    _out.append('{"command":"emit",%s"need_task_ids":%s,"tuple":%s}\nend\n'
                % (whose, asks, _encode(tup)))
    if need_task_ids and task is None:
        return readTaskIds()
    return []


def ack(tup):
    _out.append('{"command":"ack","id":"%s"}\nend\n' % tup.id)


def fail(tup, msg=None):
    """With `msg`, its dead letter says why; without, what was last given to `reportError`."""
    why = "" if msg is None else ',"msg":' + _encode(_plain(str(msg)))
    _out.append('{"command":"fail","id":"%s"%s}\nend\n' % (tup.id, why))


def sync():
    _out.append('{"command":"sync"}\nend\n')


def reportError(msg):
    sendMsgToParent({"command": "error", "msg": _plain(msg)})


def log(msg, level=2):
    sendMsgToParent({"command": "log", "msg": _plain(str(msg)), "level": level})


def logTrace(msg):
    log(msg, 0)


def logDebug(msg):
    log(msg, 1)


def logInfo(msg):
    log(msg, 2)


def logWarn(msg):
    log(msg, 3)


def logError(msg):
    log(msg, 4)


def rpcMetrics(name, params=None):
    """Adds a whole number to a counter, or one."""
    sendMsgToParent({"command": "metrics", "name": name, "params": params})


def sendpid(heartbeatdir):
    pid = os.getpid()
    sendMsgToParent({"pid": pid})
    open(os.path.join(heartbeatdir, str(pid)), "w").close()
    flush()


def initComponent():
    _open_sink()
    setup = readMsg()
    sendpid(setup["pidDir"])
    return [setup["conf"], setup["context"]]


class Tuple(object):
    __slots__ = ("id", "component", "stream", "task", "values")

    def __init__(self, id, component, stream, task, values):
        self.id = id
        self.component = component
        self.stream = stream
        self.task = task
        self.values = values

    def __repr__(self):
        fields = "".join(" %s=%r" % (name, getattr(self, name)) for name in self.__slots__)
        return "<%s%s>" % (self.__class__.__name__, fields)

    def is_heartbeat_tuple(self):
        return self.task == -1 and self.stream == "__heartbeat"

    def is_tick_tuple(self):
        return self.component == "__system" and self.stream == "__tick"


class _Component(object):
    def initialize(self, conf, context):
        pass

    def finish(self):
        """The input has ended. What is emitted and acked here still counts."""

    def run(self):
        global MODE
        MODE = Spout if isinstance(self, Spout) else Bolt
        try:
            conf, context = initComponent()
            self.initialize(conf, context)
            try:
                self._serve()
            except EOFError:
                self.finish()
            flush()
        except SystemExit:
            # What was said before an exit counts, as it does where each message leaves at once.
            flush()
            raise
        except Exception:
            reportError(traceback.format_exc())
            flush()
            sys.exit(1)


class Bolt(_Component):
    """A bolt that acks and fails what it is given, and says what its tuples are anchored to."""

    def process(self, tup):
        pass

    def _serve(self):
        work = self._step
        while True:
            msg = readMsg()
            if msg["task"] == -1 and msg["stream"] == "__heartbeat":
                sync()
            else:
                work(Tuple(msg["id"], msg["comp"], msg["stream"], msg["task"], msg["tuple"]))
            _flush_if_due()

    def _step(self, tup):
        self.process(tup)


class BasicBolt(Bolt):
    """A bolt whose tuples are anchored to the one at hand, which is acked when `process` returns
    and fails when it raises."""

    def _step(self, tup):
        global ANCHOR_TUPLE
        ANCHOR_TUPLE = tup
        try:
            self.process(tup)
            ack(tup)
        except EOFError:
            raise
        except Exception:
            reportError(traceback.format_exc())
            why = traceback.format_exception_only(*sys.exc_info()[:2])
            fail(tup, " ".join("".join(why).split()))
        finally:
            ANCHOR_TUPLE = None


class Spout(_Component):
    """A spout. `nextTuple` is called until it emits nothing, for 10 ms at most; then others have
    their turn. It ends by calling `end`."""

    _has_ended = False

    def activate(self):
        pass

    def deactivate(self):
        pass

    def ack(self, id):
        pass

    def fail(self, id):
        pass

    def nextTuple(self):
        pass

    def end(self):
        """There will be no more tuples: the process exits when the one who asked has its answer."""
        self._has_ended = True

    def _serve(self):
        while not self._has_ended:
            msg = readMsg()
            command = msg["command"]
            if command == "next":
                self._next()
            elif command == "ack":
                self.ack(msg["id"])
            elif command == "fail":
                self.fail(msg["id"])
            elif command == "activate":
                self.activate()
            elif command == "deactivate":
                self.deactivate()
            sync()
            _flush_if_due()

    def _next(self):
        until = monotonic() + 0.01
        while not self._has_ended:
            said = len(_out)
            self.nextTuple()
            if len(_out) <= said or said > FLUSH_MESSAGES or monotonic() > until:
                return
