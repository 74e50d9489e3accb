# The image holds the program and its production packages. Nothing secret is built in:
# credentials come at run time, as variables or as files named by variables (X_FILE).

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --loglevel=error
COPY prisma prisma
RUN PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 npx --no-install prisma generate
# Prisma's command line is an optional peer of its client: only leaving out both kinds leaves it out.
RUN npm prune --omit=dev --omit=optional --ignore-scripts --loglevel=error

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/src/generated src/generated
COPY LICENSE package.json ./
COPY bin bin
COPY prisma prisma
COPY src src
# Compiled once here, commands start in a fraction of a second.
RUN mkdir -p node_modules/.cache && chown -R node node_modules/.cache
USER node
RUN bin/invitewatch --help > /dev/null
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s CMD ["/app/bin/invitewatch", "healthcheck"]
ENTRYPOINT ["/app/bin/invitewatch"]
CMD ["run"]
