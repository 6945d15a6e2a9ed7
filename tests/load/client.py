"""A browser tab without a browser: Streamlit's messages over its websocket, as the page sends them.

Works against Streamlit 1.67: the stream at /_stcore/stream, uploads by PUT under addresses that
the server hands out, pictures and downloads under /media.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

WAIT_S = 120.0
_COOKIE = "_streamlit_xsrf"
_OVER = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class LostConnection(Exception):
    """The server went away, or gave no answer in time."""


@dataclass(slots=True)
class Tab:
    """One open tab with what it shows; every interaction waits until the server has answered.

    `on_message` sees the bytes of everything that the server sends, pictures and files included.
    """

    url: str
    on_message: Callable[[bytes], None] = lambda data: None
    pages: dict[str, str] = field(default_factory=dict)
    session_id: str = ""
    query: str = ""
    page: str = ""
    elements: dict[tuple[int, ...], Any] = field(default_factory=dict)
    reruns: dict[str, float] = field(default_factory=dict)
    _states: dict[str, WidgetState] = field(default_factory=dict)
    _fragments: dict[str, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _opened: ExitStack = field(default_factory=ExitStack)
    _socket: ClientConnection | None = None
    _xsrf: str = ""
    _requests: int = 0

    # ---- opening and closing

    def open(self, page: str = "", query: str = "", session_id: str = "") -> None:
        """Type an address; with the id of a session, come back to it as a browser would."""
        self._xsrf = self._xsrf or self._ask_for_cookie()
        protocols = ["streamlit", self._xsrf, *([session_id] if session_id else [])]
        try:
            socket = connect(
                f"{self.url.replace('http', 'ws', 1)}/_stcore/stream",
                subprotocols=protocols,  # type: ignore[arg-type]
                origin=self.url,  # type: ignore[arg-type]
                additional_headers={"Cookie": f"{_COOKIE}={self._xsrf}"},
                max_size=None,
                max_queue=None,
                compression=None,
            )
            self._socket = self._opened.enter_context(socket)
        except OSError as error:
            raise LostConnection(str(error)) from error
        self.query = query
        self._rerun(name=page)

    def close(self) -> None:
        """Close the tab."""
        self._opened.close()
        self._socket = None

    # ---- what a person does

    def go_to(self, page: str) -> None:
        """Follow a link of the sidebar; "" is the start page."""
        self.page = self.pages[page]
        self.query = ""
        self._states.clear()
        self._rerun()

    def click(self, key: str) -> None:
        """Press a button."""
        self._change(WidgetState(id=self._id(key), trigger_value=True))

    def choose(self, key: str, option: str) -> None:
        """Take an option of a list, by what stands in it."""
        self._change(WidgetState(id=self._id(key), string_value=option))

    def pick(self, key: str, *options: str) -> None:
        """Press segments or pills."""
        state = WidgetState(id=self._id(key))
        state.string_array_value.data.extend(options)
        self._change(state)

    def slide(self, key: str, value: float) -> None:
        """Move a slider."""
        state = WidgetState(id=self._id(key))
        state.double_array_value.data.append(value)
        self._change(state)

    def type_number(self, key: str, value: float) -> None:
        """Type into a number field."""
        self._change(WidgetState(id=self._id(key), double_value=value))

    def type_text(self, key: str, text: str) -> None:
        """Type into a text field."""
        self._change(WidgetState(id=self._id(key), string_value=text))

    def toggle(self, key: str, on: bool) -> None:
        """Flip a switch."""
        self._change(WidgetState(id=self._id(key), bool_value=on))

    def upload(self, key: str, *files: tuple[str, bytes]) -> None:
        """Drop files onto an uploader."""
        state = WidgetState(id=self._id(key))
        state.file_uploader_state_value.CopyFrom(self._send_files(files))
        self._change(state)

    def look_again(self) -> None:
        """Let every part of the page that refreshes itself do so once."""
        for fragment in list(self.reruns):
            self._rerun(fragment=fragment)

    def download(self, key: str) -> bytes:
        """Press a download button and return the file."""
        return self.fetch(self.ask_for(key))

    def ask_for(self, key: str) -> str:
        """Press a download button and return where the file lies."""
        button = self.widget(key)
        if not button.HasField("deferred_file_id"):
            return str(button.url)
        message = BackMsg()
        request = message.backend_operation_request
        request.request_id, request.session_id = self._next_request(), self.session_id
        request.deferred_file.file_id = button.deferred_file_id
        self._send(message)
        answer = self._wait_for("backend_operation_response").backend_operation_response
        if answer.error_msg:
            raise RuntimeError(f"the download {key} failed: {answer.error_msg}")
        return str(answer.deferred_file.url)

    # ---- what a person sees

    def widget(self, key: str) -> Any:
        """Return the control with this key; KeyError when the page has none."""
        for element in self.shown():
            if getattr(element, "id", "").split("-", 2)[-1] == key:
                return element
        raise KeyError(key)

    def has(self, key: str) -> bool:
        """Tell whether the page shows a control with this key."""
        return any(getattr(e, "id", "").split("-", 2)[-1] == key for e in self.shown())

    def shown(self, kind: str = "") -> Iterator[Any]:
        """Yield the elements on the page, all or those of a kind, in their order."""
        for _, element in sorted(self.elements.items()):
            name = element.WhichOneof("type")
            if name and (not kind or name == kind):
                yield getattr(element, name)

    def text(self) -> str:
        """Return all running text on the page."""
        kinds = ("markdown", "alert", "text", "heading", "exception")
        return "\n".join(
            str(getattr(e, "body", "") or getattr(e, "message", ""))
            for kind in kinds
            for e in self.shown(kind)
        )

    def troubles(self) -> list[str]:
        """Return what stands in exception boxes and in red boxes."""
        found = [f"exception: {box.type}: {box.message}" for box in self.shown("exception")]
        return found + [f"error: {e.body}" for e in self.shown("alert") if e.format == e.ERROR]

    def pictures(self) -> dict[str, str]:
        """Return address by description, of all pictures."""
        found = {each.alt: each.url for images in self.shown("imgs") for each in images.imgs}
        return found | {name: tiles["url"] for name, tiles in self.micrographs().items()}

    def micrographs(self) -> dict[str, dict[str, Any]]:
        """Return by name the tiles of every micrograph in a viewer."""
        said = (json.loads(each.json or "{}") for each in self.shown("bidi_component"))
        return {each["name"]: each["base"] for each in said if "base" in each}

    def fetch(self, path: str) -> bytes:
        """Return what lies under an address of the server."""
        status, data = self._http("GET", path)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
        self.on_message(data)
        return data

    # ---- the messages

    def _change(self, state: WidgetState) -> None:
        self._states[state.id] = state
        self._rerun(fragment=self._fragments.get(state.id, ""))
        if state.HasField("trigger_value"):
            self._states.pop(state.id, None)

    def _rerun(self, name: str = "", fragment: str = "") -> None:
        message = BackMsg()
        request = message.rerun_script
        request.query_string = self.query
        request.page_script_hash, request.page_name = self.page, name
        request.fragment_id = fragment
        request.widget_states.widgets.extend(self._states.values())
        request.context_info.url = self.url
        request.context_info.color_scheme = "light"
        self._send(message)
        self._wait_for("script_finished")
        self._fetch_pictures()

    def _send(self, message: BackMsg) -> None:
        if self._socket is None:
            raise LostConnection("the tab is closed")
        try:
            self._socket.send(message.SerializeToString())
        except Exception as error:
            raise LostConnection(str(error)) from error

    def _wait_for(self, kind: str) -> ForwardMsg:
        """Take in messages until the one that is waited for; a run must have come to its end."""
        if self._socket is None:
            raise LostConnection("the tab is closed")
        end = time.monotonic() + WAIT_S
        while True:
            try:
                data = self._socket.recv(timeout=max(0.0, end - time.monotonic()))
            except Exception as error:  # closed in one of many ways, or too late
                raise LostConnection(f"waited for {kind}: {error!r}") from error
            assert isinstance(data, bytes)
            self.on_message(data)
            message = ForwardMsg.FromString(data)
            self._take(message)
            if message.WhichOneof("type") != kind:
                continue
            if kind != "script_finished" or message.script_finished in _OVER:
                return message

    def _take(self, message: ForwardMsg) -> None:
        """Change what the tab shows."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._begin(message)
        elif kind == "navigation":
            self._note_pages(message.navigation)
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.reruns[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self.reruns.pop(fragment, None)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._show(tuple(message.metadata.delta_path), message.delta)

    def _begin(self, message: ForwardMsg) -> None:
        session = message.new_session
        self.session_id = session.initialize.session_id or self.session_id
        if not message.metadata.run.fragment_ids:
            self.elements.clear()
            self.reruns.clear()
            self.page = session.page_script_hash
        self._note_pages(session)

    def _note_pages(self, stated: Any) -> None:
        for page in stated.app_pages:
            name = "" if page.is_default else page.url_pathname or page.page_name
            self.pages[name] = page.page_script_hash

    def _show(self, path: tuple[int, ...], delta: Any) -> None:
        element = self.elements[path] = delta.new_element
        kind = element.WhichOneof("type")
        inner = getattr(element, kind) if kind else None
        if identity := getattr(inner, "id", ""):
            self._fragments[identity] = delta.fragment_id
        if getattr(inner, "set_value", False):  # the program overrules what was chosen here
            self._states.pop(inner.id, None)

    def _id(self, key: str) -> str:
        return str(self.widget(key).id)

    def _next_request(self) -> str:
        self._requests += 1
        return f"request-{self._requests}"

    # ---- plain HTTP

    def _fetch_pictures(self) -> None:
        """Fetch every picture that was not shown before, as a browser does."""
        for path in self.pictures().values():
            if path.startswith("/media/") and path not in self._seen:
                self._seen.add(path)
                self.fetch(path)

    def _send_files(self, files: tuple[tuple[str, bytes], ...]) -> FileUploaderState:
        message = BackMsg()
        request = message.file_urls_request
        request.request_id, request.session_id = self._next_request(), self.session_id
        request.file_names.extend(name for name, _ in files)
        self._send(message)
        places = self._wait_for("file_urls_response").file_urls_response.file_urls
        state = FileUploaderState()
        for (name, data), urls in zip(files, places, strict=True):
            self._put(urls.upload_url, name, data)
            state.uploaded_file_info.add(
                name=name, size=len(data), file_id=urls.file_id, file_urls=urls
            )
        return state

    def _put(self, path: str, name: str, data: bytes) -> None:
        mark = "----------------micrographia"
        quoted = name.replace('"', "%22")
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{quoted}"; filename="{quoted}"'
        body = f"{head}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
        body += data + f"\r\n--{mark}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        status, answer = self._http("PUT", path, body, headers)
        if status != 204:
            raise RuntimeError(f"the upload was answered with {status}: {answer[:200]!r}")

    def _ask_for_cookie(self) -> str:
        connection = self._connection()
        connection.request("GET", "/_stcore/health")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        cookies = answer.headers.get_all("Set-Cookie") or []
        stated = [c.split(";")[0] for c in cookies if c.startswith(f"{_COOKIE}=")]
        return stated[0].partition("=")[2].strip('"') if stated else ""

    def _http(
        self, method: str, path: str, body: bytes | None = None, more: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        headers = {"Cookie": f"{_COOKIE}={self._xsrf}", "X-Xsrftoken": self._xsrf, **(more or {})}
        connection = self._connection()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        place = urllib.parse.urlsplit(self.url)
        return http.client.HTTPConnection(place.hostname or "", place.port, timeout=WAIT_S)
