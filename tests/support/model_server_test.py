"""The scripted model service does what its script says, and answers well when the script is at its end."""

import http.client
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from model_server import ModelServer

QUESTION = {"model": "m", "messages": [
    {"role": "system", "content": "JSON"},
    {"role": "user", "content": "Source: x\n===== begin ab =====\nOne line.\n\nAnother.\n===== end ab =====\n"}]}


def ask(server, kind="chat/completions", body=None, key=None, timeout=5):
    host, _, port = server.base_url.removeprefix("http://").removesuffix("/v1").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        connection.request("POST", f"/v1/{kind}", json.dumps(body or QUESTION), headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


class Server(unittest.TestCase):
    def content(self, answer):
        status, _, body = answer
        self.assertEqual(status, 200)
        return json.loads(body)["choices"][0]["message"]["content"]

    def test_without_a_script_each_line_of_the_text_is_a_memory(self):
        with ModelServer() as server:
            memories = json.loads(self.content(ask(server)))["memories"]
            self.assertEqual([memory["content"] for memory in memories], ["One line.", "Another."])
            self.assertEqual(server.requests[0]["path"], "/v1/chat/completions")

    def test_acts_come_in_turn_and_as_often_as_they_say(self):
        with ModelServer({"chat": [{"reply": "no JSON", "times": 2}, {"reply": {"memories": None}},
                                   {"status": 429, "headers": {"Retry-After": "0"}, "error": {"code": "slow"}},
                                   {"reply": "cut", "finish_reason": "length"}, {"body": "<html>"}]}) as server:
            self.assertEqual([self.content(ask(server)) for _ in range(3)], ["no JSON", "no JSON", '{"memories": null}'])
            status, headers, body = ask(server)
            self.assertEqual((status, headers["Retry-After"], json.loads(body)), (429, "0", {"error": {"code": "slow"}}))
            self.assertEqual(json.loads(ask(server)[2])["choices"][0]["finish_reason"], "length")
            self.assertEqual(ask(server)[2], "<html>")
            self.assertIn("One line.", self.content(ask(server)))

    def test_every_fault_is_one(self):
        for fault, error in (("close", http.client.RemoteDisconnected), ("cut_body", http.client.IncompleteRead),
                             ("hang", TimeoutError), ("garbage", http.client.BadStatusLine),
                             ("cut_head", None), ("slow", None)):
            with self.subTest(fault), ModelServer({"chat": [{"fault": fault}]}) as server:
                begun = time.monotonic()
                if fault == "slow":  # Each byte comes in time; the whole takes long.
                    self.assertEqual(ask(server)[0], 200)
                    self.assertGreater(time.monotonic() - begun, 1)
                elif fault == "cut_head":  # Python, too, takes half a head for a whole one.
                    self.assertEqual(ask(server)[2], "")
                else:
                    with self.assertRaises(error):
                        ask(server, timeout=0.3)
                self.assertEqual(ask(server)[0], 200)

    def test_vectors_are_the_same_for_the_same_text_and_of_length_one(self):
        with ModelServer({"dimension": 5}) as server:
            answer = json.loads(ask(server, "embeddings", {"model": "e", "input": ["a", "b", "a"]})[2])
            vectors = {item["index"]: item["embedding"] for item in answer["data"]}
            self.assertEqual(vectors[0], vectors[2])
            self.assertNotEqual(vectors[0], vectors[1])
            self.assertEqual(len(vectors[0]), 5)
            self.assertAlmostEqual(sum(number**2 for number in vectors[0]), 1)
            shorter = json.loads(ask(server, "embeddings", {"model": "e", "input": "a", "dimensions": 3})[2])
            self.assertEqual(len(shorter["data"][0]["embedding"]), 3)

    def test_a_wrong_key_is_refused(self):
        with ModelServer({"key": "right"}) as server:
            self.assertEqual(ask(server)[0], 401)
            self.assertEqual(ask(server, key="wrong")[0], 401)
            self.assertEqual(ask(server, key="right")[0], 200)

    def test_a_script_that_cannot_be_played_is_refused(self):
        for script in ({"chats": []}, {"chat": [{"fault": "sneeze"}]}, {"chat": [{"replies": "x"}]}):
            with self.assertRaises(ValueError):
                ModelServer(script)

    def test_as_a_program_it_prints_its_url_and_logs(self):
        program = pathlib.Path(__file__).with_name("model_server.py")
        with tempfile.TemporaryDirectory() as folder:
            script, log = pathlib.Path(folder, "script"), pathlib.Path(folder, "log")
            script.write_text(json.dumps({"chat": [{"reply": "hello"}]}))
            with subprocess.Popen([sys.executable, "-B", program, script, "--log", log], stdout=subprocess.PIPE, text=True) as process:
                try:
                    server = type("Started", (), {"base_url": process.stdout.readline().strip()})
                    self.assertEqual(self.content(ask(server)), "hello")
                    self.assertEqual(json.loads(log.read_text())["body"], QUESTION)
                finally:
                    process.terminate()


if __name__ == "__main__":
    unittest.main()
