#!/usr/bin/env bash
# Images for machines that reach no registry, made of the distribution's packages and of Go modules.
#
#   images.sh build [versitygw|minio]   makes what is not there yet: Postgres, Redis and one S3 server
#   images.sh env   [versitygw|minio]   prints NAME=IMAGE where the public image is not to be used, unless NAME is set
#
# Packages come from where apt gets them on this machine, so it must be a Debian or an Ubuntu, and its user root.
# A tag is a digest of what the image is made of: a changed recipe is another image.
set -euo pipefail
cd "$(dirname "$0")"

command=${1:-build}
s3=${2:-versitygw}
case $s3 in
versitygw) module=github.com/versity/versitygw/cmd/versitygw@v1.8.0 public=versity/versitygw:v1.8.0 ;;
minio) module=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c public= ;; # the public one is used anyway
*)
	echo "There is no recipe for the S3 server $s3; use versitygw or minio." >&2
	exit 2
	;;
esac

there() { docker image inspect "$1" >/dev/null 2>&1; }

build_base() {
	there "$base" && return
	[ "$(id -u)" = 0 ] || { echo "debootstrap needs root; run make images as root, or name images of your own in PARTYWALL_IMAGE_POSTGRES and PARTYWALL_IMAGE_REDIS." >&2; exit 1; }
	command -v apt-get >/dev/null || { echo "There is no apt-get here; name images of your own in PARTYWALL_IMAGE_POSTGRES and PARTYWALL_IMAGE_REDIS." >&2; exit 1; }
	if ! command -v debootstrap >/dev/null; then
		apt-get update -q
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends debootstrap
	fi
	local mirror root
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
		awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }')
	[ -n "$mirror" ] || { echo "apt has no source for $suite main." >&2; exit 1; }
	root=$work/base
	debootstrap --variant=minbase --merged-usr "$suite" "$root" "$mirror" >"$work/debootstrap.log" ||
		{ tail -n 5 "$work/debootstrap.log" >&2; exit 1; }
	rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
	printf 'path-exclude=/usr/share/%s/*\n' doc man locale >"$root/etc/dpkg/dpkg.cfg.d/small"
	tar -C "$root" -c --exclude='./dev/*' . | docker import - "$base" >/dev/null
}

build_package() { # of an image and a recipe
	there "$1" || docker build -q --network host --build-arg "BASE=$base" -t "$1" -f "$2" . >/dev/null
}

build_s3() {
	there "$server" && return
	mkdir "$work/s3"
	GOBIN=$work/s3 CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' "$module"
	mv "$work/s3/$s3" "$work/s3/server"
	docker build -q -t "$server" -f s3.Dockerfile "$work/s3" >/dev/null
}

suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
digest() { { echo "$suite" && declare -f build_base && cat "$@"; } | sha256sum | cut -c1-12; }
base=partywall/base:$(digest /dev/null)
postgres=partywall/postgres:$(digest postgres.Dockerfile postgres.sh)
redis=partywall/redis:$(digest redis.Dockerfile)
server=partywall/$s3:$( (echo "$module" && cat s3.Dockerfile) | sha256sum | cut -c1-12)

case $command in
build)
	docker version >/dev/null || { echo "No container engine answers; start Docker, or point DOCKER_HOST to one." >&2; exit 1; }
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	build_s3 &
	if ! there "$postgres" || ! there "$redis"; then
		build_base
		build_package "$postgres" postgres.Dockerfile
		build_package "$redis" redis.Dockerfile
	fi
	wait $!
	printf '%s\n' "$postgres" "$redis" "$server"
	;;
env)
	prints() { # NAME=IMAGE, of a name, the image made here and the public one
		if [ -n "${!1:-}" ]; then return; fi
		if there "$2"; then echo "$1=$2"; elif [ -n "$3" ]; then echo "$1=$3"; fi
	}
	prints PARTYWALL_IMAGE_POSTGRES "$postgres" ""
	prints PARTYWALL_IMAGE_REDIS "$redis" ""
	prints PARTYWALL_IMAGE_S3 "$server" "$public"
	;;
*)
	sed -n '2,8s/^# \{0,1\}//p' images.sh >&2
	exit 2
	;;
esac
