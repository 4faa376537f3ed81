"""What the settings of sign-in providers must say."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.settings import SettingsError, load_settings
from plugins.accounts.oauth.failures import MEANINGS

CLIENT = "client_id=web,client_secret=hunter2"
GOOGLE, GITHUB = "MARKETGATE_OAUTH_GOOGLE", "MARKETGATE_OAUTH_GITHUB"


def test_a_client_is_read_with_its_parts():
    settings = load_settings({GOOGLE: f"{CLIENT},issuer=https://id.example"}, None).settings

    assert settings.sign_in_client("github") is None
    assert settings.sign_in_client("google") == {
        "client_id": "web", "client_secret": "hunter2", "issuer": "https://id.example",
    }  # fmt: skip


WRONG = [
    (GOOGLE, "hunter2"),
    (GOOGLE, "client_id=web"),
    (GOOGLE, f"{CLIENT},base=https://id.example"),
    (GITHUB, f"{CLIENT},issuer=https://id.example"),
    (GOOGLE, f"{CLIENT},issuer=http://id.example"),
    (GOOGLE, f"{CLIENT},issuer=id.example"),
    (GITHUB, f"{CLIENT},base=https://id.example/?a"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=range(len(WRONG)))
def test_a_client_that_is_not_whole_stops_the_start_and_is_not_shown(name: str, value: str):
    with pytest.raises(SettingsError) as stopped:
        load_settings({name: value}, None)

    assert name in str(stopped.value)
    assert "hunter2" not in str(stopped.value)


def test_every_code_is_documented():
    page = (Path(__file__).parents[4] / "docs" / "http.md").read_text(encoding="utf-8")

    assert [code for code in MEANINGS if f"| `{code}` |" not in page] == []
