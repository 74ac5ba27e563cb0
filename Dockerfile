# docker build -t voicera . && docker run -p 3000:3000 -v voicera-data:/data voicera

FROM rust:1.95-bookworm AS build
WORKDIR /src
# The dependencies alone, so that a change of the code does not build them again.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && sed -n '/^\[\[bench\]\]/,/^$/s/^name = "\(.*\)"/\1/p' Cargo.toml | xargs -I{} touch benches/{}.rs \
    && mkdir -p tests/it && touch tests/it/main.rs \
    && cargo build --release --locked
COPY . .
# Older files than the stand-ins' output would be taken for built.
RUN touch src/main.rs src/lib.rs && cargo build --release --locked && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/voicera /usr/local/bin/voicera
COPY --from=build --chown=nonroot:nonroot --chmod=700 /data /data
ENV VOICERA_SERVER__LISTEN=0.0.0.0:3000 \
    VOICERA_SERVER__DATA_DIR=/data
VOLUME ["/data"]
EXPOSE 3000
ENTRYPOINT ["/usr/local/bin/voicera"]
CMD ["serve"]
