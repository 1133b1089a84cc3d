# STRM-7: requests, from MicroPython's source, over our sockets. Argument: a server that says what it got, as a URL.
import sys

import requests

base = sys.argv[1]

answer = requests.get(base + "/hello")
print("STRM-7 get:", answer.status_code, answer.reason, answer.text)
answer = requests.post(base + "/form", json={"key": [1, 2, 3]}, timeout=30)
print("STRM-7 post:", answer.status_code, answer.json())
answer = requests.put(base + "/data", data=b"x" * 100000, headers={"X-Test": "yes"})
print("STRM-7 put:", answer.json()["size"])
answer = requests.post(base + "/chunks", data=(b"chunk %d;" % index for index in range(3)))
print("STRM-7 chunks:", answer.json()["body"])
answer = requests.get(base + "/large", stream=True)
print("STRM-7 a large answer:", len(answer.content))
answer = requests.get(base + "/missing")
print("STRM-7 missing:", answer.status_code)
answer.close()
