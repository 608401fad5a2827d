ARG BASE
FROM $BASE
RUN apt-get update -q \
	&& mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb \
	&& install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data
COPY postgres.sh /usr/local/bin/
USER postgres
VOLUME /var/lib/postgresql/data
EXPOSE 5432
ENTRYPOINT ["postgres.sh"]
CMD ["postgres"]
