"""Settings: a wrong value stops the start and names itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.core.settings import Settings, SettingsError, load_settings


def load(_dotenv: Path | None = None, /, **values: str) -> Settings:
    return load_settings({f"MARKETGATE_{name}": value for name, value in values.items()}, _dotenv).settings


def wrong(**values: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**values)
    return str(caught.value)


def test_the_defaults_are_those_that_outside_tools_rely_on() -> None:
    found = load()

    assert (found.host, found.port, found.env, found.mode, found.upstream_base) == (
        "127.0.0.1", 8000, "production", "live", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("env", "upstreams", "mode"),
    [
        ("production", "", "live"), ("development", "", "recorded"), ("production", "recorded", "recorded"),
        ("development", "live", "live"),
    ],
)  # fmt: skip
def test_upstreams_follow_the_environment_unless_set(env: str, upstreams: str, mode: str) -> None:
    assert load(ENV=env, UPSTREAMS=upstreams).mode == mode


def test_the_credentials_of_a_wrong_address_are_not_shown() -> None:
    told = wrong(OTLP_ENDPOINT="http://u:s3cret@pw@h:port/x")

    assert told.startswith("MARKETGATE_OTLP_ENDPOINT: ")
    assert "s3cret" not in told
    assert "pw@" not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"), ("PORT", "70000"), ("PORT", "-1"), ("ENV", "prod"), ("UPSTREAMS", "on"),
        ("UPSTREAM_BASE", "127.0.0.1:9000"), ("UPSTREAM_BASE", "ftp://x"), ("UPSTREAM_BASE", "http://[::1"),
        ("UPSTREAM_BASE", "http://x/?a=b"), ("UPSTREAM_BASE", "http://x:port"), ("CORS_ORIGINS", "example.com"),
        ("CORS_ORIGINS", "https://a.example/path"), ("TIMEOUT_S", "0"), ("TIMEOUT_S", "nan"), ("TIMEOUT_S", "inf"),
        ("TIMEOUT_S", "301"), ("CACHE_MB", "0"), ("CACHE_MB", "many"), ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)  # fmt: skip
def test_a_wrong_value_names_its_setting(name: str, value: str) -> None:
    told = wrong(**{name: value})

    assert told.startswith(f"MARKETGATE_{name}: ")
    assert f"(got '{value}')" in told
    assert "\n" not in told


def test_all_wrong_values_are_told_at_once() -> None:
    told = wrong(PORT="x", ENV="y")

    assert "MARKETGATE_PORT: " in told
    assert "MARKETGATE_ENV: " in told


def test_a_wrong_tier_names_its_provider() -> None:
    told = wrong(TIER_COINGECKO="Gold!", TIER_BINANCE="free")

    assert told == "MARKETGATE_TIER_COINGECKO: String should match pattern '^[a-z0-9_]{1,32}$' (got 'Gold!')"


def test_keys_and_tiers_go_to_their_providers() -> None:
    found = load(KEY_COINGECKO="abc", KEY_ALPACA="id=a,secret=b", TIER_COINGECKO="pro")

    assert found.keyring().of("coingecko") == {"key": "abc"}
    assert found.keyring().of("alpaca") == {"id": "a", "secret": "b"}
    assert found.tiers == {"coingecko": "pro"}


def test_no_secret_is_shown_anywhere() -> None:
    found = load_settings({"MARKETGATE_KEY_COINGECKO": "hunter22", "MARKETGATE_KYE_X": "hunter22"}, None)

    assert "hunter22" not in f"{found} {found!r} {found.settings.model_dump()} {found.settings.keyring()}"
    assert "hunter22" not in wrong(KEY_COINGECKO="hunter22", PORT="x")


@pytest.mark.parametrize("key", ["a b\nc", "caf\u00e9", "\u2026", "a\x00b"])
def test_a_key_that_cannot_be_sent_stops_the_start_without_being_shown(key: str) -> None:
    told = wrong(KEY_COINGECKO=key)

    assert told == "MARKETGATE_KEY_COINGECKO: holds characters that no header or URL can carry"


def test_a_file_holds_a_value(tmp_path: Path) -> None:
    secret, port = tmp_path / "secret", tmp_path / "port"
    secret.write_text("abc\n")
    port.write_text(" 9000\n")

    found = load(KEY_COINGECKO_FILE=str(secret), PORT_FILE=str(port))

    assert (found.keyring().of("coingecko"), found.port) == ({"key": "abc"}, 9000)


def test_a_file_that_cannot_be_read_names_its_setting(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    assert wrong(PORT_FILE=str(tmp_path / "none")) == (
        f"MARKETGATE_PORT_FILE: the file {tmp_path / 'none'} cannot be read (FileNotFoundError)"
    )
    assert wrong(PORT_FILE=str(tmp_path)).endswith("cannot be read (IsADirectoryError)")
    assert wrong(PORT_FILE=str(binary)).endswith("cannot be read (UnicodeDecodeError)")


@pytest.mark.parametrize("name", ["KEY_FMP", "SECRET_KEY", "DRAIN_S"])
def test_an_empty_file_stops_the_start(tmp_path: Path, name: str) -> None:
    for text in ("", "\n", "\ufeff\r\n"):
        (tmp_path / "empty").write_text(text, encoding="utf-8")

        told = wrong(**{f"{name}_FILE": str(tmp_path / "empty")})

        assert told == f"MARKETGATE_{name}_FILE: the file {tmp_path / 'empty'} is empty: write the value into it"


def test_a_wrong_value_from_a_file_names_the_file_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("planted, words\n")
    path = str(tmp_path / "secret")

    told = "MARKETGATE_PORT_FILE: Input should be a valid integer, unable to parse string as an integer"
    assert wrong(PORT_FILE=path) == told
    assert wrong(CORS_ORIGINS_FILE=path).startswith("MARKETGATE_CORS_ORIGINS_FILE: '***' is not an origin")
    assert wrong(METRICS_NETWORKS_FILE=path).startswith("MARKETGATE_METRICS_NETWORKS_FILE: '***' does not appear to be")
    assert wrong(SECRET_KEY_FILE=path).startswith("MARKETGATE_SECRET_KEY_FILE: must have 32 bytes or more")
    assert wrong(KEY_FMP_FILE=path, DATABASE_URL_FILE=path).startswith("MARKETGATE_DATABASE_URL_FILE: must be")


def test_the_mark_at_a_files_beginning_is_no_part_of_its_value(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc\r\n", encoding="utf-8-sig")

    assert load(KEY_FMP_FILE=str(tmp_path / "key")).keyring().of("fmp") == {"key": "abc"}


@pytest.mark.parametrize(
    "url", ["postgresql://u:pla@nted@db/x", "postgresql://u:pla?n@ted@db/x", "postgres://u:p@nted/12@127.0.0.1/x"]
)
def test_a_password_that_would_be_taken_for_a_host_is_refused_without_being_shown(url: str) -> None:
    assert wrong(DATABASE_URL=url) == (
        "MARKETGATE_DATABASE_URL: must be postgresql://user:password@host/name or sqlite:///file; "
        "write @ in a password as %40, / as %2F"
    )
    assert load(DATABASE_URL="postgresql://u:pla%40nted@db/x?options=a@b").database.endswith("a@b")


def test_a_value_and_its_file_exclude_each_other(tmp_path: Path) -> None:
    assert wrong(PORT="1", PORT_FILE="x") == "MARKETGATE_PORT and MARKETGATE_PORT_FILE are both set: keep one"


def test_the_environment_goes_before_the_file_of_the_folder(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("MARKETGATE_PORT=1\nMARKETGATE_HOST='0.0.0.0'\nOTHER=x\n")

    found = load(dotenv, PORT="2")

    assert (found.port, found.host) == (2, "0.0.0.0")


def test_a_file_of_the_folder_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"MARKETGATE_HOST=\xff\xfe\n")

    with pytest.raises(SettingsError, match=r"\.env cannot be read \(UnicodeDecodeError\)"):
        load(dotenv)


def test_an_empty_value_is_not_set() -> None:
    assert load(PORT="", UPSTREAMS="", UPSTREAM_BASE="").port == 8000


def test_a_base_loses_the_slash_at_its_end() -> None:
    assert load(UPSTREAM_BASE="http://127.0.0.1:9000/x/").upstream_base == "http://127.0.0.1:9000/x"


def test_origins_are_separated_by_commas() -> None:
    assert load(CORS_ORIGINS="https://a.example, http://localhost:3000,*").cors_origins == (
        "https://a.example", "http://localhost:3000", "*",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("env", "value", "networks"),
    [
        ("production", "", []),
        ("development", "", ["127.0.0.0/8", "::1/128"]),
        ("development", ",", []),
        ("production", "127.0.0.0/8, 10.1.0.0/16,[::1]/128, ::2,192.168.7.7", [
            "127.0.0.0/8", "10.1.0.0/16", "::1/128", "::2/128", "192.168.7.7/32",
        ]),
    ],
)  # fmt: skip
def test_webhooks_reach_loopback_in_development_and_what_is_named(env: str, value: str, networks: list[str]) -> None:
    assert [str(network) for network in load(ENV=env, WEBHOOK_ALLOW=value).webhook_networks] == networks


@pytest.mark.parametrize("value", ["localhost", "10.0.0.0/33", "[::1", "[10.0.0.1", "10.1", "example.com/8"])
def test_what_webhooks_may_reach_is_named_as_networks(value: str) -> None:
    assert wrong(WEBHOOK_ALLOW=value).startswith("MARKETGATE_WEBHOOK_ALLOW: ")


def test_an_unknown_name_is_warned_of_with_a_suggestion() -> None:
    found = load_settings({"MARKETGATE_UPSTREEM_BASE": "x", "MARKETGATE_ZZZ": "y", "OTHER": "z"}, None)

    assert found.warnings == (
        "MARKETGATE_UPSTREEM_BASE is not a setting; did you mean MARKETGATE_UPSTREAM_BASE?",
        "MARKETGATE_ZZZ is not a setting",
    )


def test_names_of_tests_are_accepted_in_silence() -> None:
    assert load_settings({"MARKETGATE_TEST_REDIS_URL": "x"}, None).warnings == ()


def test_the_schedule_of_webhooks_is_a_list_of_seconds() -> None:
    assert load_settings({"MARKETGATE_WEBHOOK_SCHEDULE": "1, 2.5,30"}, None).settings.webhook_schedule == (1, 2.5, 30)


@pytest.mark.parametrize("given", ["soon", "5,-1", "0", "nan", "inf", "5,9999999", ",".join(["1"] * 51)])
def test_a_schedule_that_is_none_stops_the_start(given: str) -> None:
    with pytest.raises(SettingsError, match=r"MARKETGATE_WEBHOOK_SCHEDULE: .*must be"):
        load_settings({"MARKETGATE_WEBHOOK_SCHEDULE": given}, None)


def test_settings_cannot_be_changed() -> None:
    settings: Any = load()

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


ED25519 = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
"""
"""Of RFC 8410, section 10.3."""
X25519 = ED25519.replace("MC4CAQAwBQYDK2VwBCIEI", "MC4CAQAwBQYDK2VuBCIEI")


def test_signing_keys_are_read_one_after_the_other() -> None:
    assert len(load(JWT_KEYS=ED25519 * 2).signing_keys()) == 2
    assert len(load(JWT_KEYS=ED25519.replace("\n", "\\n")).signing_keys()) == 1
    assert load().signing_keys() == []


NO_KEYS = {"junk": "junk", "cut": ED25519[:90], "another curve": X25519, "one of two": ED25519 + X25519}


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS)
def test_signing_keys_that_are_none_stop_the_start_and_are_not_shown(text: str) -> None:
    told = "must be Ed25519 private keys: `openssl genpkey -algorithm ed25519` makes one"

    assert wrong(JWT_KEYS=text) == f"MARKETGATE_JWT_KEYS: {told}"


def test_a_root_secret_that_repeats_a_few_characters_stops_the_start():
    with pytest.raises(SettingsError, match="MARKETGATE_SECRET_KEY: repeats a few characters") as stopped:
        load_settings({"MARKETGATE_SECRET_KEY": "change-me-" * 4}, None)

    assert "change-me" not in str(stopped.value)
