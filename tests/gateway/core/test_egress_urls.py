"""Which URLs of users are read, and which are refused before anybody is asked."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.clock import SystemClock
from gateway.core.egress.addresses import is_public
from gateway.core.egress.guarded import GuardedEgress
from gateway.core.egress.port import AddressNotAllowed, BadUrl
from gateway.core.egress.urls import read_url

LOOPBACK = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))


def guard(*networks: str, development: bool = False) -> GuardedEgress:
    return GuardedEgress(map(ip_network, networks), development=development, clock=SystemClock())


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/",
        "HTTPS://Example.COM/Hook?token=a%20b&c=[d]",
        "https://hooks.example.co.uk:8443/a/../b//c;d=e/@f:g",
        "https://xn--bcher-kva.example.com/",
        "https://under_score.example.com/",
        "https://93.184.215.14/hook",
        "https://93.184.215.14:443/hook",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        "https://[2606:2800:021F:CB07:6820:80DA:AF6B:8B2C]:8443/",
        "https://[64:ff9b::93.184.215.14]/",
        "https://1.example.com/",
        "https://127.0.0.1.example.com/",
        "https://0x7f.example.com/",
        "https://172.15.255.255/",
        "https://172.32.0.0/",
        "https://100.63.255.255/",
        "https://100.128.0.0/",
    ],
)
def test_urls_of_the_public_internet_are_read(url: str):
    guard().check(url)


INWARD = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1",
    "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::127.0.0.1]", "[::7f00:1]",
    "[::93.184.215.14]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:10.0.0.1]", "[::ffff:93.184.215.14]",
    "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::127.0.0.1]", "[64:ff9b:1::93.184.215.14]", "[100::1]", "[100:0:0:1::1]", "[2001::1]",
    "[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[2001:2::1]", "[2001:10::1]", "[2001:20::1]",
    "[2001:db8::1]", "[2002:7f00:1::]", "[2002:a00:1::1]", "[2002:5db8:d70e::1]", "[2620:4f:8000::1]", "[3fff::1]",
    "[3fff:fff::1]", "[4000::1]", "[5f00::1]", "[fc00::1]", "[fd00:ec2::254]", "[fdff::1]", "[fe80::1]", "[fec0::1]",
    "[ff02::1]", "[ff0e::1]", "localhost", "LOCALHOST", "redis", "metadata", "metadata.google.internal",
    "foo.localhost", "printer.local", "db.lan", "x.home.arpa", "1.0.0.127.in-addr.arpa", "abc.onion", "x.invalid",
    "kubernetes.default.svc.cluster.local",
]  # fmt: skip


@pytest.mark.parametrize("host", INWARD)
def test_an_inward_address_or_name_is_refused(host: str):
    for port in ("", ":8443"):
        with pytest.raises(AddressNotAllowed, match=r"not of the public internet$"):
            guard().check(f"https://{host}{port}/hook")


MISSPELT = [
    "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "017700000001", "0177.0.0.1", "127.0.0.01",
    "00.0.0.0", "127.0.0.1.", "127.0.0.0x1", "0", "1", "256.256.256.256", "1.2.3.4.5", "99999999999", "0x", "1.1.1",
    "foo.1", "foo.0x1", "127.0.0.1%00", "localhost.", "example.com.", "example.com..", "exa..mple.com", ".example.com",
    "-example.com", "example-.com", "exam ple.com", "exam\tple.com", "example.com\n", "exa%6dple.com",
    "%31%32%37.0.0.1",
    "[::1%25eth0]", "[fe80::1%eth0]", "[fe80::1%251]", "[v1.a]", "[127.0.0.1]", "[::1", "::1]", "[[::1]]", "[:::1]",
    "[::1]x", "[]", "::1", "a:b:c", "①②⑦.⓪.⓪.①", "127。0。0。1", "\uff4cocalhost", "ⓛocalhost",
    "bücher.example.com", "example.com\u200b", "exa\u00admple.com", "example。com", "ex\x00ample.com", "example.com\\",
    f"{'a' * 64}.com", f"{'a.' * 127}com", "", "user@example.com", "user:pass@example.com", "@example.com",
    ":@127.0.0.1",
    "example.com@127.0.0.1", "127.0.0.1@example.com", "a:b@c@example.com", "example.com:", "example.com:0",
    "example.com:0443", "example.com:65536", "example.com:99999999", "example.com:443:443", "example.com:-1",
    "example.com:+443", "example.com:4 43", "example.com:443a", "example.com:\u0664\u0664\u0663",
]  # fmt: skip


@pytest.mark.parametrize("networks", [(), ("0.0.0.0/0", "::/0")])
@pytest.mark.parametrize("host", MISSPELT)
def test_a_host_in_another_spelling_is_refused_whatever_is_allowed(host: str, networks: tuple[str, ...]):
    with pytest.raises(BadUrl) as refused:
        guard(*networks, development=True).check(f"https://{host}/hook")

    assert not isinstance(refused.value, AddressNotAllowed)


@pytest.mark.parametrize(
    "url",
    [
        "", " ", "example.com", "//example.com/", "/hook", "https:", "https:/", "https://", "https:///hook",
        "https:/example.com/", "https:example.com", "https:\\\\example.com\\", "https:/\\example.com/",
        " https://example.com/", "https://example.com/ ", "https://example.com/a b", "https://example.com/\r\nx: y",
        "https://example.com/\x00", "https://example.com/\x7f", "https://example.com/é", "https://example.com/<a>",
        "https://example.com/#part", "https://example.com#@127.0.0.1/", "https://example.com/%", "https://example.com/%zz",
        "https://example.com/%2", 'https://example.com/"', "https://example.com/{a}", "https://example.com/a|b",
        "https://example.com\\@127.0.0.1/", "https://127.0.0.1\\.example.com/", "htt\tps://example.com/",
        "file:///etc/passwd", "ftp://example.com/", "gopher://127.0.0.1:6379/_PING", "ws://example.com/",
        "wss://example.com/", "unix:/run/x", "http+unix://%2Frun%2Fx/", "data:text/plain,x", "javascript:alert(1)",
        "dict://example.com:11211/", "ldap://example.com/", "jar:https://example.com!/", "url:https://example.com/",
        "https+http://example.com/", f"https://example.com/{'a' * 2048}",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_url_is_refused(url: str):
    with pytest.raises(BadUrl):
        guard(development=True).check(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "must begin with https://"),
        ("http://93.184.215.14/", "must begin with https://"),
        ("http://example.com:443/", "must begin with https://"),
        ("http://93.184.215.14:8443/", "must begin with https://"),
        ("https://example.com:22/", "has a port other than 443, 8443"),
        ("https://example.com:80/", "has a port other than 443, 8443"),
        ("https://93.184.215.14:6379/", "has a port other than 443, 8443"),
        ("https://a:b@example.com/", "must not hold a user name or a password"),
        ("https://example.com/#x", "must not have a fragment"),
        ("https://127.1/", "has an IPv4 address that is not four decimal numbers such as 93.184.215.14"),
        ("https://[fe80::1%25eth0]/", "has an IPv6 address that cannot be read; zones are not allowed"),
        ("https://example.com./", "has a host name that ends in a dot"),
        (
            "https://exämple.com/",
            "must be in ASCII: a host name in its xn-- form, anything else percent-encoded",
        ),
        ("ftp://example.com/", "is not a URL such as https://example.com/hook"),
        ("https://localhost/", "its host name is not of the public internet"),
        ("https://10.0.0.1:9000/", "its address is not of the public internet"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_url(url: str, reason: str):
    with pytest.raises(BadUrl) as refused:
        guard().check(url)

    assert str(refused.value) == reason


@pytest.mark.parametrize("url", ["http://example.com/", "http://example.com:8080/", "https://93.184.215.14:80/"])
def test_development_reaches_public_addresses_by_http_too(url: str):
    guard(development=True).check(url)


def test_development_keeps_to_the_ports_of_the_web():
    with pytest.raises(BadUrl, match="has a port other than 80, 443, 8080, 8443"):
        guard(development=True).check("http://example.com:25/")


@pytest.mark.parametrize("development", [False, True])
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/", "https://127.9.9.9/", "http://[::1]:1/", "http://localhost:3000/x"]
)
def test_in_an_allowed_network_http_and_every_port_are_allowed(url: str, development: bool):
    guard("127.0.0.0/8", "::1/128", development=development).check(url)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://[::ffff:127.0.0.1]/", "http://[::127.0.0.1]/", "https://169.254.169.254/"]
)
def test_an_allowed_network_lets_nothing_in_but_itself(url: str):
    with pytest.raises(AddressNotAllowed):
        guard("127.0.0.0/8", "::1/128").check(url)


def test_an_ipv4_address_in_the_dress_of_an_ipv6_one_is_refused_whatever_is_allowed():
    with pytest.raises(AddressNotAllowed):
        guard("0.0.0.0/0", "::/0").check("http://[::ffff:127.0.0.1]/")


def test_an_allowed_network_does_not_make_other_addresses_reachable_by_http():
    with pytest.raises(BadUrl, match="must begin with https://"):
        guard("127.0.0.0/8").check("http://93.184.215.14/")


# --- No spelling of an inward address gets through

fours = st.integers(0, 2**32 - 1)
sixes = st.one_of(
    st.integers(0, 2**128 - 1),
    st.integers(0, 2**125 - 1).map(lambda n: n | 1 << 125),  # 2000::/3
    fours,  # IPv4-compatible
    fours.map(lambda n: n | 0xFFFF << 32),  # IPv4-mapped
    fours.map(lambda n: n | 0x64FF9B << 96),  # NAT64
    fours.map(lambda n: n << 80 | 0x2002 << 112),  # 6to4
    fours.map(lambda n: n ^ 0xFFFFFFFF | 0x20010000 << 96),  # Teredo
)
special = st.sampled_from([int(IPv4Address(a)) for a in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0")])


@st.composite
def spellings_of_four(draw: Any) -> tuple[IPv4Address, str]:
    """As inet_aton reads them: one to four parts, each in any base, the last one filling up."""
    number = draw(fours | special)
    parts = draw(st.integers(1, 4))
    values = [number >> (24 - 8 * place) & 255 for place in range(parts - 1)]
    values.append(number & (1 << 8 * (5 - parts)) - 1)
    forms = ("{:d}", "{:#x}", "{:#X}", "0{:o}", "000{:o}", "0x000{:x}")
    text = ".".join(draw(st.sampled_from(forms)).format(value) for value in values)
    return IPv4Address(number), text + draw(st.sampled_from(["", "", "."]))


@given(spellings_of_four(), st.booleans())
@example((IPv4Address("127.0.0.1"), "127.0.0.1"), True)
def test_no_spelling_of_an_inward_ipv4_address_is_let_in(spelt: tuple[IPv4Address, str], development: bool):
    address, text = spelt

    try:
        guard(development=development).check(f"https://{text}/")
    except BadUrl:
        return
    assert text == str(address)
    assert address.is_global


@given(sixes, st.data())
def test_no_spelling_of_an_inward_ipv6_address_is_let_in(number: int, data: Any):
    address = IPv6Address(number)
    low = IPv4Address(number & 0xFFFFFFFF)
    spelt = [str(address), address.exploded, address.exploded.upper(), f"{address.exploded[:29]}:{low}"]
    text = data.draw(st.sampled_from(spelt))

    try:
        guard().check(f"https://[{text}]/")
    except BadUrl:
        return
    assert read_url(f"https://[{text}]/").address == address
    assert address.is_global or address in ip_network("64:ff9b::/96")
    assert address.ipv4_mapped is None
    assert address.sixtofour is None
    assert address.teredo is None
    assert address not in ip_network("64:ff9b::/96") or low.is_global


@given(fours | special)
def test_what_python_calls_inward_is_inward(number: int):
    address = IPv4Address(number)

    assert address.is_global or not is_public(address)
    assert not address.is_multicast or not is_public(address)


@given(st.text(max_size=40), st.sampled_from(["", ".", "@", ":443", "%00", "#", "?", "\\"]))
def test_whatever_is_read_has_a_host_that_was_written(text: str, after: str):
    url = f"https://{text}{after}example.com/"

    try:
        target = read_url(url)
    except BadUrl:
        return
    assert url.lower().startswith((f"https://{target.host}", "https://["))
