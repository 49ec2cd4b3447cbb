using CaveComm.Api.Admin;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Admin;

/// <summary>Who finds a dead letter reads what it was for.</summary>
public sealed class MessageWordsTests
{
    [Fact]
    public void Every_message_has_words()
    {
        var aliases = Handled.Messages.Select(MessageCatalog.AliasOf).ToList();

        aliases.Count.ShouldBeGreaterThan(10);
        aliases.Where(it => MessageWords.About(it) == it).ShouldBeEmpty();
    }
}
