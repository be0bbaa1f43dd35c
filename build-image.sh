#!/bin/sh
# Builds the image that components run in and pushes it: `build-image.sh REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME`.
# With docker if its engine answers, else with Cloud Build. The image's address, pinned by its digest, is left in
# build/image, where `gemini-sft run --on vertex` and compile.py find it, and is the only line on standard output.
set -eu
cd "$(dirname "$0")"

fail() {
    echo "make image: $*" >&2
    exit 2
}

image=${1:-}
rest=${image#*-docker.pkg.dev/}
case $image in
    *[:@]*) fail "IMAGE=$image has a tag or digest: leave it out, it is chosen here" ;;
    *-docker.pkg.dev/?*/?*/*python*) ;;
    *) fail "IMAGE=$image: give the address in Artifact Registry, with python in its name, as in" \
        "IMAGE=us-central1-docker.pkg.dev/my-project/gemini-sft/gemini-sft-python" ;;
esac
# No two builds have the same tag, so that a repository whose tags are immutable takes them too.
tag=$(date -u +%Y%m%d-%H%M%S)
tagged=$image:$tag

if docker info >/dev/null 2>&1; then
    # Vertex AI's machines are amd64, whatever this one is.
    docker build --platform linux/amd64 --tag "$tagged" . >&2
    docker push "$tagged" >&2 || fail "docker could not push: run \`gcloud auth configure-docker ${image%%/*}\`"
    pinned=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$tagged" | grep -F "$image@" | head -n 1)
elif command -v gcloud >/dev/null; then
    gcloud builds submit --project "${rest%%/*}" --tag "$tagged" . >&2
    # `describe` would tell it too, but asks the Container Analysis API besides.
    pinned=$image@$(gcloud artifacts docker images list "$image" --include-tags --filter "tags:$tag" --format 'value(version)')
else
    fail "neither a docker engine nor gcloud answers: start docker, or install the Google Cloud CLI"
fi

echo "$pinned" | grep -Eq '@sha256:[0-9a-f]{64}$' || fail "$tagged is built, but the registry gave no digest of it: $pinned"
mkdir -p build
echo "$pinned" | tee build/image
