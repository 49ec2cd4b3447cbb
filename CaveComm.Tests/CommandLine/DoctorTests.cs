using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.CommandLine;

public sealed class DoctorTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task On_a_healthy_machine_the_doctor_finds_nothing_wrong_and_changes_nothing()
    {
        await using var doctor = CaveCommProcess.Start("doctor", "--port", "0", "--data", folder["data"]);

        (await doctor.Ended()).ShouldBe(0, doctor.Output + doctor.Errors);
        await doctor.Shown("Nothing is wrong.");
        doctor.Output.ShouldContain("PostgreSQL");
        Directory.Exists(folder["data"]).ShouldBeFalse();
    }

    [Fact]
    public async Task What_a_killed_restore_left_behind_is_named()
    {
        var left = Directory.CreateDirectory(folder[$"keys.restore-{Guid.NewGuid():N}-replaced"]).FullName;
        await using var doctor = CaveCommProcess.Start("doctor", "--port", "0", "--data", Path.GetDirectoryName(left)!);

        await doctor.Ended();

        doctor.Output.ShouldContain($"rm -r {left}");
    }

    [Fact]
    public async Task What_is_wrong_is_named_with_how_to_mend_it()
    {
        Directory.CreateDirectory(folder["open"], (UnixFileMode)0b111_101_101);
        await using var doctor = CaveCommProcess.StartIn(
            new()
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                ["ConnectionStrings__CaveComm"] = "Host=127.0.0.1;Port=1;Username=nobody;Database=none;Timeout=2",
                ["BTCPay__Url"] = "http://127.0.0.1:1",
                ["CaveComm__PublicUrl"] = "http://shop.example",
            },
            "doctor",
            "--port",
            "0",
            "--data",
            folder["open"]);

        (await doctor.Ended()).ShouldBe(1);
        await doctor.Shown("things are wrong.");
        foreach (var remedy in new[] { "chmod 700", "ConnectionStrings__CaveComm", "Stripe__ApiKey", "BTCPay__StoreId", "Smtp__Host", "https" })
        {
            doctor.Output.ShouldContain(remedy);
        }
    }
}
