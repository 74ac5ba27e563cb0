# docker build -t voicera . && docker run -p 3000:3000 -v voicera-data:/data voicera

FROM rust:1.95-bookworm AS build
WORKDIR /src
# The dependencies alone, so that a change of the code does not build them again. The stand-in has no
# tests and benchmarks, so their sections go.
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^\[\[/,/^$/d' Cargo.toml \
    && mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
    && cargo build --release --locked
COPY . .
# Files older than what the stand-ins became would be taken for built.
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
