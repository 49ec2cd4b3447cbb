using CaveComm.Api.Customers;
using CaveComm.Tests.Support;
using Microsoft.Extensions.Configuration;
using Shouldly;

namespace CaveComm.Tests.Customers;

/// <summary>The file that remembers who was erased.</summary>
public sealed class ErasureRegisterTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Who_is_remembered_is_remembered_once_and_by_every_node()
    {
        var (ada, grace) = (Guid.NewGuid(), Guid.NewGuid());
        using var one = Register();
        using var other = Register();
        (await one.All(TestContext.Current.CancellationToken)).ShouldBeEmpty();

        await one.Remember(ada, TestContext.Current.CancellationToken);
        await other.Remember(ada, TestContext.Current.CancellationToken);
        await other.Remember(grace, TestContext.Current.CancellationToken);

        (await one.All(TestContext.Current.CancellationToken)).Select(it => it.Customer).ShouldBe([ada, grace]);
    }

    [Fact]
    public async Task A_line_that_a_crash_left_half_written_spoils_no_other()
    {
        var (ada, grace) = (Guid.NewGuid(), Guid.NewGuid());
        using var register = Register();
        await register.Remember(ada, TestContext.Current.CancellationToken);
        await File.AppendAllTextAsync(folder[ErasureRegister.FileName], "\n{\"customer\":\"0195", TestContext.Current.CancellationToken);

        await register.Remember(grace, TestContext.Current.CancellationToken);

        (await register.All(TestContext.Current.CancellationToken)).Select(it => it.Customer).ShouldBe([ada, grace]);
    }

    private ErasureRegister Register() => new(
        new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["CaveComm:DataPath"] = folder.Path }).Build(), TimeProvider.System);
}
