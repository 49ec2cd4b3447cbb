# syntax=docker/dockerfile:1
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish CaveComm.Api/CaveComm.Api.csproj --configuration Release --output /app -p:RunAnalyzers=false

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
RUN install --directory --owner=app --group=app --mode=700 /data
USER app
VOLUME /data
# The container is stopped with SIGTERM; the product then ends what it has in hand within five seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["dotnet", "CaveComm.Api.dll"]
CMD ["up", "--data", "/data"]
