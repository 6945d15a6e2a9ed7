"""What a person does, in words, so that tests read like one."""

import time

from streamlit.testing.v1 import AppTest


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Give files to the start page."""
    for name, data in files:
        turn = app.session_state["home_turn"]
        app.file_uploader(key=f"home_upload_{turn}").upload(name, data).run()
    return app


def texts(app: AppTest) -> str:
    """Everything that is written on the page, as one text."""
    elements = [*app.markdown, *app.caption, *app.text, *app.error, *app.info, *app.warning]
    elements += [*app.title, *app.subheader]
    return "\n".join(str(element.value) for element in elements)


def loaded_names(app: AppTest) -> list[str]:
    return [each.name for each in app.session_state["workspace_micrographs"].values()]


def assert_calm(app: AppTest) -> None:
    """No exception box, and nothing that the error border had to swallow."""
    assert not app.exception
    assert not app.error, [each.value for each in app.error]


def finish_batch(app: AppTest, seconds: float = 60) -> AppTest:
    """Start the batch and look at the page until it is over, as the page itself does."""
    app.button(key="batch_run_now").click().run()
    end = time.monotonic() + seconds
    while app.session_state["batch_run"].is_running:
        assert time.monotonic() < end
        time.sleep(0.05)
    return app.run()
