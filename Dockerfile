# The build has the compiler; the image that runs has the compiled code and the production packages only.
# The Node of the base image is the one that runs, so the one that npm could bring along is left out.
FROM node:26-slim AS build
WORKDIR /turnout
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
RUN npm ci --ignore-scripts
COPY src src
RUN npx tsc -p tsconfig.build.json --sourceMap false \
 && node src/console/build-console.ts \
 && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /turnout
COPY --from=build /turnout/package.json ./
COPY --from=build /turnout/node_modules node_modules
COPY --from=build /turnout/build build
COPY config config
COPY LICENSE ./
RUN mkdir -p /var/lib/turnout /etc/turnout \
 && cp config/turnout.yaml /etc/turnout/turnout.yaml \
 && chown node:node /var/lib/turnout
USER node
# Relative paths of the configuration, the embedded record's folder above all, are relative to this.
WORKDIR /var/lib/turnout
VOLUME /var/lib/turnout
EXPOSE 8080 8081
# The admin port of the configuration that is mounted; on loopback, as the check runs in the same container.
ENV TURNOUT_ADMIN_PORT=8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.TURNOUT_ADMIN_PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# main handles SIGTERM and SIGINT itself and reaps its workers, so it can be process 1.
# Of the C library: src/workers/worker-process.ts says why.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=1048576
ENTRYPOINT ["node", "--max-semi-space-size=2", "/turnout/build/src/main.js"]
CMD ["start", "--config", "/etc/turnout/turnout.yaml"]
