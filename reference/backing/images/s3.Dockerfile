# A static binary is all there is in it.
FROM scratch
COPY server /server
VOLUME /data
EXPOSE 9000
ENTRYPOINT ["/server"]
