using CaveComm.Api.CommandLine;

return await CaveCommCommandLine.Run(args);
