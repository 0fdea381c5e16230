#!/usr/bin/env bash
# Fetches the images that train the base VQGAN, from Debian's packages, into DIR/<package>/.
#
#     benchmarks/fetch_training_images.sh DIR
#
# Needs apt-get and dpkg-deb, no root. Each package's licence file comes along as
# DIR/<package>/copyright; vector drawings do not.
set -euo pipefail

if (($# != 1)); then
  echo "usage: $0 DIR" >&2
  exit 2
fi

packages=(
  gnome-backgrounds
  lomiri-wallpapers-16.04
  lomiri-wallpapers-20.04
  mate-backgrounds
  plasma-workspace-wallpapers
  supertuxkart-data
  ukui-wallpapers
)
mkdir -p "$1"
target=$(cd "$1" && pwd)
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT

for package in "${packages[@]}"; do
  if [[ -e $target/$package/copyright ]]; then
    echo "$package: already there"
    continue
  fi
  echo "$package: fetching"
  rm -rf "${unpacked:?}"/*
  (cd "$unpacked" && apt-get --quiet=2 -o APT::Sandbox::User="$(id -un)" download "$package" && dpkg-deb -x ./*.deb tree)
  # supertuxkart's PNGs are mostly icons and sprites with transparency; its JPEGs are textures.
  names=(-iname '*.jpg' -o -iname '*.jpeg')
  if [[ $package != supertuxkart-data ]]; then
    names+=(-o -iname '*.png' -o -iname '*.webp')
  fi
  while IFS= read -r -d '' image; do
    copy=$target/$package/${image#"$unpacked/tree/usr/share/"}
    mkdir -p "$(dirname "$copy")"
    cp "$image" "$copy"
  done < <(find "$unpacked/tree" -type f \( "${names[@]}" \) -print0)
  cp "$unpacked/tree/usr/share/doc/$package/copyright" "$target/$package/copyright"
done

echo
for package in "${packages[@]}"; do
  images=$(find "$target/$package" -type f ! -name copyright | wc -l)
  printf '%-28s %4d images, licences in %s\n' "$package" "$images" "$target/$package/copyright"
done
