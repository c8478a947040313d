# The public release and its server in one image:
#   lyot build && lyot site && docker build -t lyot . && docker run -p 8001:8001 lyot
FROM python:3.12-slim
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt '.[private]' \
    && useradd --create-home lyot && mkdir /releases && mv out/public /releases/public \
    && rm -rf /source && chown -R lyot /releases
WORKDIR /releases
USER lyot
ENV MALLOC_ARENA_MAX=2
EXPOSE 8001
CMD ["lyot", "serve", "--out", "/releases", "--host", "0.0.0.0", "--port", "8001"]
