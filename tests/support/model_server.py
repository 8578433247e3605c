#!/usr/bin/env python3
"""An OpenAI-compatible service on 127.0.0.1 that says and does what a script tells it, well or badly.

usage: model_server.py [SCRIPT] [--log FILE]

Prints its base URL as soon as it listens, for OPENAI_BASE_URL, and serves until it is ended. --log takes a line of JSON
for each request: {"path", "authorization", "body"}. In Python: `with ModelServer(script) as server: server.base_url`.

SCRIPT is a file with one JSON object; every member may be left out:
  "chat", "embeddings"  acts, one for each request of that kind in turn; what comes after them is answered well
  "dimension"           length of vectors (8)
  "key"                 any other key is answered with 401

An act is an object:
  "reply"          what the model says: a text, or JSON that is written as text
  "finish_reason"  "stop", "length", "content_filter"
  "status", "error", "headers"   an answer that fails, and what it says
  "body"           the whole body of the answer, whatever it is
  "fault"          "close" without a word, "cut_head", "cut_body" in the middle, "hang", "slow" bytes, "garbage"
  "times"          so many requests (1)
Answered well means: a memory for each line of the text, and a vector of length 1 that depends on the text alone.
"""

import hashlib
import http.server
import json
import math
import re
import sys
import threading

FAULTS = ("close", "cut_head", "cut_body", "hang", "slow", "garbage")
MEMBERS = ("reply", "finish_reason", "status", "error", "headers", "body", "fault", "times")


def vector_of(text, dimension):
    """Of length 1, the same for the same text, of little likeness to another's."""
    numbers = []
    for at in range(dimension):
        digest = hashlib.sha256(f"{at}:{text}".encode()).digest()
        numbers.append(int.from_bytes(digest[:4], "big") / 2**31 - 1)
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def text_asked_about(messages):
    """What stands between the marks of the question; all of it when there are none."""
    question = next((m["content"] for m in messages if m["role"] == "user"), "")
    found = re.search(r"^===== begin (\w+) =====\n(.*)\n===== end \1 =====$", question, re.DOTALL | re.MULTILINE)
    return found.group(2) if found else question


def good_reply(body):
    lines = [line.strip() for line in text_asked_about(body["messages"]).splitlines() if line.strip()]
    return {"memories": [{"content": line, "network": "world", "confidence": 0.9, "category": None, "entities": [],
                          "happened_at": None, "position": None} for line in lines],
            "entities": [], "relationships": []}


def chat_answer(body, act):
    reply = act["reply"] if "reply" in act else good_reply(body)
    text = reply if isinstance(reply, str) else json.dumps(reply)
    tokens = sum(len(message["content"]) for message in body["messages"]) // 4
    return {"object": "chat.completion", "model": body.get("model"),
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                         "finish_reason": act.get("finish_reason", "stop")}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": len(text) // 4,
                      "total_tokens": tokens + len(text) // 4}}


def embedding_answer(body, dimension):
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [{"object": "embedding", "index": at, "embedding": vector_of(text, body.get("dimensions", dimension))}
            for at, text in enumerate(texts)]
    tokens = sum(len(text) for text in texts) // 4
    return {"object": "list", "data": data[::-1], "model": body.get("model"),  # Any order is allowed.
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


class Script:
    """Which act comes next. Used by several threads at once."""

    def __init__(self, script):
        unknown = set(script) - {"chat", "embeddings", "dimension", "key"}
        if unknown:
            raise ValueError(f"a script has no {', '.join(sorted(unknown))}")
        self.dimension = script.get("dimension", 8)
        self.key = script.get("key")
        self.lock = threading.Lock()
        self.acts = {kind: [act for act in script.get(kind, []) for _ in range(act.get("times", 1))]
                     for kind in ("chat", "embeddings")}
        for acts in self.acts.values():
            for act in acts:
                unknown = set(act) - set(MEMBERS)
                if unknown or act.get("fault", "hang") not in FAULTS:
                    raise ValueError(f"no such act: {act}")

    def next_act(self, kind):
        with self.lock:
            return self.acts[kind].pop(0) if self.acts[kind] else {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(200, {"object": "list", "data": []})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.note({"path": self.path, "authorization": self.headers.get("Authorization"), "body": body})
        script = self.server.script
        if script.key is not None and self.headers.get("Authorization") != f"Bearer {script.key}":
            return self.answer(401, {"error": {"code": "invalid_api_key", "message": "Incorrect API key provided."}})
        if self.path.endswith("/chat/completions"):
            act = script.next_act("chat")
            return self.play(act, lambda: chat_answer(body, act))
        if self.path.endswith("/embeddings"):
            return self.play(script.next_act("embeddings"), lambda: embedding_answer(body, script.dimension))
        return self.answer(404, {"error": {"code": "not_found", "message": f"no {self.path}"}})

    def play(self, act, good):
        status = act.get("status", 200)
        if "body" in act:
            content = act["body"]
        elif status != 200 or "error" in act:
            content = {"error": act.get("error", {"message": f"scripted {status}"})}
        else:
            content = good()
        self.answer(status, content, act.get("headers", {}), act.get("fault"))

    def answer(self, status, content, headers=None, fault=None):
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        lines = [f"HTTP/1.1 {status} Said", "Content-Type: application/json", f"Content-Length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        head = "\r\n".join(lines).encode()
        whole = head + b"\r\n\r\n" + data
        if fault:
            self.close_connection = True
        try:
            if fault == "hang":
                self.server.ended.wait()
            elif fault == "slow":
                for at in range(len(whole)):
                    self.wfile.write(whole[at:at + 1])
                    self.wfile.flush()
                    if self.server.ended.wait(0.01):
                        return
            elif fault != "close":
                part = {"cut_head": head[:40], "cut_body": whole[:-len(data) // 2 - 1], "garbage": b"\x16\x03 no HTTP\r\n\r\n"}
                self.wfile.write(part.get(fault, whole))
        except OSError:
            self.close_connection = True  # The other side had enough.


class ModelServer(http.server.ThreadingHTTPServer):
    """Listens from the start; serves as a context manager, or by serve_forever()."""
    daemon_threads = True

    def __init__(self, script=None, log=None):
        self.script = Script(script or {})
        self.log = log
        self.requests = []
        self.noting = threading.Lock()
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def note(self, request):
        with self.noting:
            self.requests.append(request)
            if self.log:
                print(json.dumps(request), file=self.log, flush=True)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.shutdown()
        self.server_close()


def main(arguments):
    log = None
    if "--log" in arguments:
        at = arguments.index("--log")
        log = open(arguments[at + 1], "a", encoding="utf-8")
        arguments = arguments[:at] + arguments[at + 2:]
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    script = {}
    if arguments:
        with open(arguments[0], encoding="utf-8") as file:
            script = json.load(file)
    server = ModelServer(script, log)
    print(server.base_url, flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
