"""The environment variables that point the Google SDKs at an emulator."""

PROJECT = "local-project"
LOCATION = "us-central1"

_OVERRIDES = ("SERVICEUSAGE", "CLOUDRESOURCEMANAGER", "IAM", "LOGGING")


def variables(port: int) -> dict[str, str]:
    """Returns what a client must export to reach the emulator on 127.0.0.1:`port`.

    google-genai, google-cloud-storage and google-auth read theirs by themselves. google-cloud-aiplatform reads none:
    `VERTEX_API_ENDPOINT` and `VERTEX_API_TRANSPORT` are for a program to hand to `aiplatform.init`, and
    `SECRET_MANAGER_ENDPOINT` keeps one that reads secrets on this machine, where there are none. Those that begin with
    `CLOUDSDK_API_ENDPOINT_OVERRIDES_` are gcloud's own: a program that asks the same services can go by them too.
    """
    address = f"127.0.0.1:{port}"
    url = f"http://{address}"
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "GOOGLE_CLOUD_LOCATION": LOCATION,
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_VERTEX_BASE_URL": url,
        # With GOOGLE_GENAI_USE_VERTEXAI alone the SDK consults this one, and without it would leave the machine.
        "GOOGLE_GEMINI_BASE_URL": url,
        "VERTEX_API_ENDPOINT": url,
        "VERTEX_API_TRANSPORT": "rest",
        "STORAGE_EMULATOR_HOST": url,
        "SECRET_MANAGER_ENDPOINT": url,
        **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{one}": f"{url}/" for one in _OVERRIDES},
        # google-auth takes credentials from the metadata server; it asks the one by name and pings the other.
        "GCE_METADATA_HOST": address,
        "GCE_METADATA_IP": address,
        # Without a folder of gcloud's, google-auth does not find the user's own account before the metadata server.
        "CLOUDSDK_CONFIG": "/dev/null",
        # No proxy may carry what is meant for this machine.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
