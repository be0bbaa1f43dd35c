import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.data.sensitive import find_sensitive

# Every value is put together here, so that no scanner of repositories takes it for a real one.
BASE64 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzK3mP9qL2tbeEdxZ"
LETTERS = "aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW0xY3zA5bC7dE9fGhK2"

SECRETS = [
    ("AWS access key id", "AKIA" + "ABCDEFGHIJKLMNOP"),
    ("AWS access key id", "ASIA" + "Z7Y6X5W4V3U2T1S0"),
    ("AWS secret access key", "aws_secret_access_key = " + BASE64[:40]),
    ("AWS secret access key", 'AWS_SECRET_KEY: "' + BASE64[:40] + '"'),
    ("Google API key", "AIza" + LETTERS[:35]),
    ("Google API key", "AIza" + "Sy-_" + LETTERS[:15] + "-" + LETTERS[:15]),
    ("Google OAuth client secret", "GOCSPX-" + LETTERS[:12] + "-" + LETTERS[:15]),
    ("private key", "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
    ("private key", "-----BEGIN " + "RSA PRIVATE KEY-----\n  MIIEowIBAAKCAQEA+/a\n"),
    ("private key", "-----BEGIN " + "EC PRIVATE KEY-----\r\nMHcCAQEEI+a"),
    ("private key", "-----BEGIN " + "OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA"),
    ("private key", "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----\n\nlQVYBGA+abc"),
    ("private key", '{"private_key": "-----BEGIN ' + 'PRIVATE KEY-----\\nMIIEvQIBADANBgkq"}'),
    *(("GitHub token", f"gh{letter}_" + LETTERS[:36]) for letter in "opusr"),
    ("GitHub token", "github_pat_" + LETTERS[:22] + "_" + LETTERS),
    ("GitLab token", "glpat-" + LETTERS[:20]),
    *(("Slack token", f"xox{letter}-" + "123456789012-" + LETTERS[:24]) for letter in "abpr"),
    ("Slack token", "https://hooks.slack.com/services/" + "T0AB12CD/B0AB12CD/" + LETTERS[:24]),
    ("Stripe key", "sk_live_" + LETTERS[:24]),
    ("Stripe key", "rk_live_" + LETTERS[:24]),
    ("OpenAI or Anthropic key", "sk-" + LETTERS),
    ("OpenAI or Anthropic key", "sk-proj-" + LETTERS),
    ("OpenAI or Anthropic key", "sk-ant-api03-" + LETTERS),
    ("Hugging Face token", "hf_" + LETTERS[:34]),
    ("npm token", "npm_" + LETTERS[:36]),
    ("JSON web token", "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + LETTERS),
    ("bearer token", "Authorization: Bearer " + LETTERS[:24]),
    ("bearer token", "authorization: bearer " + LETTERS[:10] + "-" + LETTERS[:10]),
    ("connection string", "postgres" + "://admin:s3cr3t@db.internal:5432/app"),
    ("connection string", "mongodb+srv" + "://user:password@host"),
    ("connection string", "redis" + "://:pa55word@localhost:6379"),
    ("password or key", "password = " + "hunter2"),
    ("password or key", "Password:" + "hunter2"),
    ("password or key", '{"password": "' + 'hunter2"}'),
    ("password or key", "{'passwd' : '" + "hunter2'}"),
    ("password or key", "PWD=" + "hunter2"),
    ("password or key", '{"config": "{\\"password\\": \\"' + 'hunter2\\"}"}'),
    ("password or key", "api_key=" + "a1b2c3d4e5"),
    ("password or key", "https://api.corp.com/v1?apikey=" + "a1b2c3d4e5&page=2"),
    ("password or key", 'client_secret => "' + 'a1b2c3d4e5"'),
    ("password or key", "api_key=" + BASE64[:40]),
    ("password or key", "ACCESS_TOKEN: " + "a1b2c3d4e5"),
    ("password or key", 'secret-key := "' + 'settings.a1b2c3d4e5"'),
]
PERSONAL = [
    ("email address", "jane.doe+news@corp.co.uk"),
    ("email address", "j@x.de"),
    ("email address", "<jane@corp.museum>"),
    ("email address", "mailto:jane_1@mail.corp.com."),
    ("email address", "1234567890@corp.com"),
    ("email address", "jane@123456789.corp.com"),
    ("phone number", "+49 30 1234567"),
    ("phone number", "+49 (0)30 123456-78"),
    ("phone number", "+33 1 23 45 67 89"),
    ("phone number", "+442071234567"),
    ("phone number", "+1 (212) 555-0123"),
    ("phone number", "+31.20.123.4567"),
    ("phone number", "(212) 555-0123"),
    ("phone number", "(212)555-0123."),
    ("phone number", "212-555-0123"),
    ("phone number", "1-212-555-0123"),
    ("payment card number", "4111 1111 1111 1111"),
    ("payment card number", "4111111111111111"),
    ("payment card number", "4111-1111-1111-1111"),
    ("payment card number", "5555 5555 5555 4444"),
    ("payment card number", "2223 0031 2200 3222"),
    ("payment card number", "3782 822463 10005"),
    ("payment card number", "371449635398431"),
    ("payment card number", "6011111111111117"),
    ("payment card number", "3056 930902 5904"),
    ("payment card number", "3530111333300000"),
    ("payment card number", "4222222222222"),
    ("payment card number", "2720 9980 0000 0000"),
    ("payment card number", "6212 3456 0000 0000 006"),
    ("payment card number", "card 4111 1111 1111 1111 123"),  # its security code follows
    ("payment card number", "order 6900 4111 1111 1111 1111"),
    ("IBAN", "GB82 WEST 1234 5698 7654 32"),
    ("IBAN", "GB82WEST12345698765432"),
    ("IBAN", "DE89 3704 0044 0532 0130 00"),
    ("IBAN", "NL91ABNA0417164300"),
    ("IBAN", "NO93 8601 1117 947"),
    ("IBAN", "FR14 2004 1010 0505 0001 3M02 606"),
    ("IBAN", "MT84 MALT 0110 0001 2345 MTLC AST0 01S"),
    ("IBAN", "IE55 AIBK AIBK AIBK AIBK 12"),
    ("IBAN", "IBAN:BE68539007547034 BIC"),
    ("IBAN", "DE89 3704 0044 0532 0130 00 BIC AND SO ON"),
    ("US social security number", "123-45-6789"),
    ("US social security number", "SSN: 899-01-0001."),
]
NEGATIVES = [
    "2024-01-31",
    "2024-01-31T12:30:45.123456Z and 2024-02-01T12:30:45+01:00",
    "from 2023-12-31 to 2024-01-01, 12:30:45 to 23:59:59",
    "31.01.2024 01/02/2024 20240131 20240131123045",
    "version 10.15.7, 1.2.3-rc.4, v2024.01.31.1234567890",
    "127.0.0.1 192.168.100.200 10.0.0.0/8 2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "ISBN 978-3-16-148410-0, 0-306-40615-2, 9783161484100",
    "$1,234,567.89 and 1 234 567 890 EUR and 1234567890.12",
    "3.14159265358979323846 -0.4111111111111111 1e-10 +1.23456789012",
    "1706659200 1706659200000 1706659200000000000",
    "123e4567-e89b-12d3-a456-426614174000 550e8400-e29b-41d4-a716-446655440000",
    "d41d8cd98f00b204e9800998ecf8427e",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "id 1234567890123456, 4111111111111112, x4111111111111111, 41111111111111110000000",
    "gs://my-bucket-4111111111111111/212-555-0123/file-123-45-6789.jsonl",
    "/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0a" * 3,
    "000-12-3456 666-12-3456 912-34-5678 123-00-4567 123-45-0000 1123-45-67890",
    "112-555-0123 212-155-0123 (112) 555-0123 x-212-555-0123 212-555-01234",
    "+1 2 3 4 5 6 7 8 9 10 and +12345678 and +0123456789",
    "DE89 3704 0044 0532 0130 01 and GB00WEST12345698765432 and AB88 1234 5678 9999",
    "6900 1230 0000 0008 of no issuer, f(x)+123456789",
    "@decorator user@ user@host a @ b x@y.T git@github.com:corp/code.git",
    "jane@example.com jane@mail.example.org jane@corp.invalid jane@corp.test jane@localhost icon@2x.png",
    "lodash@4.17.21 pkg@1.0.0-beta.rc a@b.transpose(0)",
    "https://corp.com/@user/status/123 https://user@host/path http://host:8080/a?b=c@d",
    "postgres://user:${PASSWORD}@host postgres://user:<password>@host sql://a:$PW@host http://{user}:{password}@host",
    "password: string, password = None, password: Required!, password = input('Password: ')",
    "password=$DB_PASS1 password: <your password 1> password = form.password1 password = getpass2(",
    "password = your_password_1, token: xxxxxxxx1234, api_key = sk-your-key-1, secret: example123",
    "token = TEST_DATA_BASE64, api_key=a1b2c3d password=aaaaa11",
    "token = tokenizer.encode(text1) max_tokens=1000 token: 12345678 secret=abcdefgh key: a1b2c3d4e5",
    "AKIAIOSFODNN7"
    + "EXAMPLE "
    + "AKIA"
    + "X" * 16
    + " AIza"
    + LETTERS[:36]
    + " xAKIA"
    + "ABCDEFGHIJKLMNOP AKIA"
    + "ABCDEFGHIJKLMNOPQ",
    "-----BEGIN " + "PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A -----BEGIN CERTIFICATE-----",
    "-----BEGIN " + "PRIVATE KEY-----\n<key>\n-----END PRIVATE KEY----- or `-----BEGIN " + "RSA PRIVATE KEY-----`",
    "sk-learn-pipelines-made-very-simple task-1234567890123456789012345 hf_" + "abc eyJhbGciOiJIUzI1NiJ9 ghp_short",
    "Bearer authentication-is-required-here and the bearer of this letter",
]


def record(text: str) -> bytes:
    return json.dumps({"contents": [{"role": "user", "parts": [{"text": text}]}]}, ensure_ascii=False).encode() + b"\n"


def kinds(text: str) -> list[str]:
    return [one.kind for one in find_sensitive(record(text))]


@pytest.mark.parametrize(("kind", "value"), SECRETS)
def test_a_secret(kind: str, value: str) -> None:
    (found,) = find_sensitive(record(f"It is {value} or so."))
    assert (found.kind, found.rule) == (kind, "secret")


@pytest.mark.parametrize(("kind", "value"), PERSONAL)
def test_personal_data(kind: str, value: str) -> None:
    (found,) = find_sensitive(record(f"It is {value} or so."))
    assert (found.kind, found.rule) == (kind, "personal_data")


@pytest.mark.parametrize(("kind", "value"), SECRETS + PERSONAL)
def test_wherever_it_stands(kind: str, value: str) -> None:
    for length in range(24):
        assert kinds("x" * length + " " + value) == [kind], length
        assert kinds("é" * length + "\n" + value + "\n" + "x" * length) == [kind], length
    assert [one.kind for one in find_sensitive(json.dumps(value).encode()[1:-1])] == [kind]


@pytest.mark.parametrize("text", NEGATIVES)
def test_nothing_there(text: str) -> None:
    for length in range(8):
        assert kinds("x" * length + " " + text) == []


@pytest.mark.parametrize(
    "neighbour", ["\n", "\t", '"', "\\", "\r\n", "\u00e9", "\u2028", "\x01", "🍕", "'", ";", "\n\n\t"]
)
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("AWS access key id", "AKIA" + "ABCDEFGHIJKLMNOP"),
        ("JSON web token", "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + LETTERS),
        ("password or key", "password=" + "hunter2"),
        ("email address", "jane@corp.com"),
        ("phone number", "+49 30 1234567"),
        ("phone number", "(212) 555-0123"),
        ("phone number", "212-555-0123"),
        ("payment card number", "4111 1111 1111 1111"),
        ("IBAN", "GB82 WEST 1234 5698 7654 32"),
        ("US social security number", "123-45-6789"),
    ],
)
def test_an_escape_is_no_part_of_its_neighbour(
    neighbour: str, ascii_only: bool, nested: bool, kind: str, value: str
) -> None:
    line = json.dumps({"text": f"a{neighbour}{value}{neighbour}b"}, ensure_ascii=ascii_only)
    if nested:
        line = json.dumps({"text": line}, ensure_ascii=ascii_only)
    (found,) = find_sensitive(line.encode())
    assert found.kind == kind
    assert line.encode()[found.start :].startswith(value.encode())


def test_a_value_is_not_glued_to_the_line_before() -> None:
    block = b"a\n" + b"AKIA" + b"ABCDEFGHIJKLMNOP\n212-555-0123\n1234\n4111 1111 1111 1111\n"
    assert [one.kind for one in find_sensitive(block)] == ["AWS access key id", "phone number", "payment card number"]


def test_positions_are_those_of_the_lines() -> None:
    lines = [record("nothing") for _ in range(9)]
    lines[0] = record("call 212-555-0123")
    lines[4] = record("write to jane@corp.com or call 212-555-0123")
    lines[8] = record("write to jane@corp.com")
    block = b"".join(lines)
    found = find_sensitive(block)
    assert [(one.kind, block.count(b"\n", 0, one.start)) for one in found] == [
        ("phone number", 0),
        ("email address", 4),
        ("phone number", 4),
        ("email address", 8),
    ]
    assert [block[one.start :][:8] for one in found] == [b"212-555-", b"jane@cor", b"212-555-", b"jane@cor"]


def test_the_order_is_that_of_the_text() -> None:
    found = find_sensitive(record("s3" + "://AKIA" + "ABCDEFGHIJKLMNOP:a1b2c3d4@bucket"))
    assert [one.kind for one in found] == ["connection string", "AWS access key id"]


def test_a_long_number_is_not_cut_to_a_card() -> None:
    for length in range(64):
        assert kinds("123-45-6789x" + " " * length + "41111111111111110000000") == []


def test_a_kind_is_found_once_a_line() -> None:
    text = "jane@corp.com and joe@corp.com, 212-555-0123, " * 1000
    block = 3 * record(text)
    assert [one.kind for one in find_sensitive(block)] == ["email address", "phone number"] * 3


def test_a_large_block() -> None:
    filler = record("nothing " * 100)
    lines = [filler] * 4000
    lines[::100] = [record("jane@corp.com")] * 40
    lines[50] = record("nothing " * 100_000 + "jane@corp.com")
    block = b"".join(lines)
    assert [block.count(b"\n", 0, one.start) for one in find_sensitive(block)] == sorted([50, *range(0, 4000, 100)])


@pytest.mark.parametrize("block", [b"", b"\n", b"\n\n", b"@", b":", b"AKIA", b"password=", b"\\", b"\xff" * 100])
def test_next_to_nothing(block: bytes) -> None:
    assert find_sensitive(block) == []


@pytest.mark.parametrize(("kind", "value"), SECRETS + PERSONAL)
def test_the_value_is_not_told(kind: str, value: str) -> None:
    (found,) = find_sensitive(value.encode())
    rule = "secret" if (kind, value) in SECRETS else "personal_data"
    assert repr(found) == f"Sensitive(kind='{kind}', rule='{rule}', start={found.start})"


def test_several_kinds_in_one_record() -> None:
    text = "Authorization: Bearer " + "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + LETTERS
    assert kinds(text + "\njane@corp.com, 212-555-0123") == [
        "bearer token",
        "JSON web token",
        "email address",
        "phone number",
    ]


@given(st.text(string.ascii_letters + " \n\t" + string.punctuation.replace("@", ""), max_size=400))
@settings(deadline=None)
def test_without_digits_and_at_signs_nothing_is_personal(text: str) -> None:
    assert [one for one in find_sensitive(record(text)) if one.rule == "personal_data"] == []


@given(st.binary(max_size=200), st.sampled_from(SECRETS + PERSONAL))
@settings(deadline=None)
def test_whatever_stands_on_other_lines(noise: bytes, sample: tuple[str, str]) -> None:
    noise = noise.replace(b"\n", b"") + b"\n"
    found = find_sensitive(noise + record(sample[1]) + noise)
    assert sample[0] in [one.kind for one in found if len(noise) <= one.start < len(noise) + len(record(sample[1]))]
